"""The planted incidents: one table for the code, the tests and docs/demo.md.

An incident only multiplies or replaces values of a day that has been drawn already, with random
numbers of its own. So the same seed without incidents gives the same world, call for call.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from include.freezeline.errors import ConfigError

Columns = dict[str, NDArray[Any]]
"""The calls of one day and feature: one array per attribute, all of one length."""

V8_ESCALATION_RATIO = 0.28
EMPTY_RETRIEVAL_RATIO = 0.25
STUTTER_CALL_RATIO = 0.35
STUTTER_FACTOR = 2.2
CREEP_PER_DAY = 1.015


@dataclass(frozen=True, slots=True)
class Incident:
    """One planted incident and what must be found because of it.

    Attributes:
        name: Key of the switch.
        feature: Feature it hits.
        where: Which of the feature's traffic, in words.
        start_date: First day it shows.
        description: What changes, as a sentence.
        family: Family of the finding: slo, drift or anomaly.
        questions: Questions or SLOs of which at least one must say breach.
        echoes: Other questions that must say breach on the same model, because what they
            measure contains what the incident changes.
        model: Request model it hits; None when it is not bound to a model.
        is_freezing: Whether releases of the feature must be frozen because of it.
    """

    name: str
    feature: str
    where: str
    start_date: date
    description: str
    family: str
    questions: tuple[str, ...]
    echoes: tuple[str, ...] = ()
    model: str | None = None
    is_freezing: bool = False


INCIDENTS: tuple[Incident, ...] = (
    Incident(
        name="prompt_escalation",
        feature="support-assistant",
        where="prompt `support-answer` version v8",
        start_date=date(2026, 10, 5),
        description=(
            "Version v8 rolls out to 60% of the traffic in three days; 28% of its answers are "
            "escalated to a person instead of 2%."
        ),
        family="slo",
        questions=("support-escalation",),
        is_freezing=True,
    ),
    Incident(
        name="empty_retrievals",
        feature="support-assistant",
        where="retrieval `help-centre`",
        start_date=date(2026, 10, 9),
        description="25% of the retrievals return no document instead of 2%.",
        family="anomaly",
        questions=("retrieval_empty_ratio",),
        # Six of its 31 days are enough of a trend.
        echoes=("empty_retrieval_drift",),
    ),
    Incident(
        name="silent_model_swap",
        feature="code-helper",
        where="calls that ask for `gpt-4.1-mini`, probes included",
        start_date=date(2026, 10, 8),
        description=(
            "Another model answers: other openings, bullets and more hedging, while model name, "
            "fingerprint and token counts stay the same."
        ),
        family="drift",
        questions=(
            "semantic_shift",
            "semantic_shift_paired",
            "style_shift_paired",
            "output_divergence",
        ),
        model="gpt-4.1-mini",
    ),
    Incident(
        name="tpot_stutter",
        feature="code-helper",
        where="streamed answers of `claude-sonnet-4-5`",
        start_date=date(2026, 10, 11),
        description="35% of the answers stream 2.2 times slower after the first token.",
        family="anomaly",
        questions=("tpot_p95_ms", "tpot-p99"),
        # A call lasts as long as its tokens take.
        echoes=("latency_p95_ms",),
        model="claude-sonnet-4-5",
    ),
    Incident(
        name="token_creep",
        feature="code-helper",
        where="prompts sent to `gpt-4.1`",
        start_date=date(2026, 9, 22),
        description="Input tokens grow by 1.5% a day; probes are not affected.",
        family="anomaly",
        questions=("input_tokens_creep",),
        model="gpt-4.1",
    ),
)

ALL_INCIDENTS: frozenset[str] = frozenset(incident.name for incident in INCIDENTS)
_BY_NAME: Mapping[str, Incident] = {incident.name: incident for incident in INCIDENTS}


def resolve_incidents(wanted: bool | frozenset[str]) -> frozenset[str]:  # noqa: FBT001
    """Turn the switch into incident names: all, none, or the named ones.

    Raises:
        ConfigError: A name is not in the table.
    """
    if isinstance(wanted, bool):
        return ALL_INCIDENTS if wanted else frozenset()
    unknown = sorted(wanted - ALL_INCIDENTS)
    if unknown:
        known = ", ".join(sorted(ALL_INCIDENTS))
        message = f"demo incidents: no incident named {unknown[0]!r} (use one of {known})"
        raise ConfigError(message)
    return frozenset(wanted)


def apply_incidents(
    columns: Columns, feature: str, day: date, seed: int, active: frozenset[str]
) -> Columns:
    """Return the day's calls as the active incidents leave them."""
    for number, incident in enumerate(INCIDENTS):
        starts = incident.name in active and incident.feature == feature
        if starts and day >= incident.start_date:
            rng = np.random.default_rng([seed, day.toordinal(), 100 + number])
            columns = {**columns, **_EFFECTS[incident.name](columns, incident, day, rng)}
    return columns


def incident_table() -> str:
    """Write the table of docs/demo.md."""
    lines = [
        "| incident | feature | where | from | what changes | must be found as |",
        "|---|---|---|---|---|---|",
    ]
    lines += [_table_row(incident) for incident in INCIDENTS]
    return "\n".join(lines) + "\n"


def _table_row(incident: Incident) -> str:
    """Write one incident as a row of the table."""
    kind = "SLO" if incident.family == "slo" else f"{incident.family} question"
    found = f"{kind} " + " or ".join(f"`{question}`" for question in incident.questions)
    if incident.echoes:
        found += ", echoed by " + " and ".join(f"`{question}`" for question in incident.echoes)
    if incident.is_freezing:
        found += f"; releases of `{incident.feature}` are frozen"
    return (
        f"| `{incident.name}` | `{incident.feature}` | {incident.where} | {incident.start_date} "
        f"| {incident.description} | {found} |"
    )


def _hits_model(columns: Columns, incident: Incident) -> NDArray[np.bool_]:
    """Return which calls ask for the incident's model."""
    return np.asarray(columns["request_model"] == incident.model)


def _raise_escalations(
    columns: Columns, _incident: Incident, _day: date, _rng: np.random.Generator
) -> Columns:
    """Make answers of prompt version v8 end at a person more often."""
    is_v8 = (columns["prompt_version"] == "v8") & (columns["canary_id"] == "")
    return {
        "escalation_ratio": np.where(is_v8, V8_ESCALATION_RATIO, columns["escalation_ratio"]),
    }


def _empty_retrievals(
    columns: Columns, _incident: Incident, _day: date, _rng: np.random.Generator
) -> Columns:
    """Make more retrievals come back without a document."""
    return {"empty_ratio": np.full_like(columns["empty_ratio"], EMPTY_RETRIEVAL_RATIO)}


def _swap_model(
    columns: Columns, incident: Incident, _day: date, _rng: np.random.Generator
) -> Columns:
    """Let another style write the answers under the same name."""
    return {"style": np.where(_hits_model(columns, incident), "substitute", columns["style"])}


def _stutter(columns: Columns, incident: Incident, _day: date, rng: np.random.Generator) -> Columns:
    """Slow the stream of a share of the model's answers."""
    tpot_ms = columns["tpot_ms"].astype(np.float64)
    is_slow = (rng.random(len(tpot_ms)) < STUTTER_CALL_RATIO) & _hits_model(columns, incident)
    return {"tpot_ms": np.where(is_slow, tpot_ms * STUTTER_FACTOR, tpot_ms)}


def _creep(columns: Columns, incident: Incident, day: date, _rng: np.random.Generator) -> Columns:
    """Grow the prompts of one model a little every day."""
    factor = CREEP_PER_DAY ** ((day - incident.start_date).days + 1)
    is_hit = _hits_model(columns, incident) & (columns["canary_id"] == "")
    tokens = columns["input_tokens"].astype(np.float64)
    return {"input_tokens": np.where(is_hit, np.rint(tokens * factor), tokens).astype(np.int64)}


_EFFECTS: Mapping[str, Callable[[Columns, Incident, date, np.random.Generator], Columns]] = {
    "prompt_escalation": _raise_escalations,
    "empty_retrievals": _empty_retrievals,
    "silent_model_swap": _swap_model,
    "tpot_stutter": _stutter,
    "token_creep": _creep,
}
