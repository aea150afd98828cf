"""What may help: actions with evidence and confidence, from what the night found.

Nothing here is a cause: calls were not assigned at random, so a version that looks bad may have
had the harder questions. An action names a suspect, and says how sure the numbers are.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from scipy import stats

from include.freezeline.alerts.policy import ActionRules
from include.freezeline.alerts.signals import Signal

Row = Mapping[str, Any]
Action = Literal[
    "roll_back_prompt",
    "route_away_from_model",
    "check_route",
    "contain_tenant",
    "scale_serving",
    "restore_cache",
    "retrain",
    "tighten_retrieval",
]
DIMENSIONS: Mapping[str, Action] = {
    "prompt_version": "roll_back_prompt",
    "request_model": "route_away_from_model",
    "route": "check_route",
    "tenant_key": "contain_tenant",
}
"""Dimensions whose worst value can be acted on, and how."""
_NONE = "(none)"
_GRID = (np.arange(4000) + 0.5) / 4000
WORSE_THAN_REST = (
    "probability that its bad ratio is above that of the feature's other calls, from both "
    "counts (Jeffreys); it says nothing about why"
)
REAL_VERDICT = (
    "1 - q: share of verdicts as clear as this one that are expected to be real changes; it says "
    "nothing about why"
)
NO_NUMBER = "a rule of thumb; there is no probability for it"


@dataclass(frozen=True, slots=True)
class Proposal:
    """An action that may help.

    Attributes:
        feature: Feature.
        environment: Environment.
        action: What to do.
        target: To what.
        dimension: Column of the calls that holds the target; None when it is the whole feature.
        triggers: SLOs, questions and evaluators that speak for it.
        reason: Why it is suspected.
        confidence: What ``meaning`` says; None where there is no such number.
        meaning: What the confidence is the chance of.
        evidence: The numbers.
        evidence_query: SQL that shows the calls.
        alternative: What to go back to.
    """

    feature: str
    environment: str
    action: Action
    target: str
    dimension: str | None
    triggers: tuple[str, ...]
    reason: str
    confidence: float | None
    meaning: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    evidence_query: str = ""
    alternative: str | None = None


def propose(
    signals: Sequence[Signal],
    windows: Iterable[Row],
    attributions: Iterable[Row],
    verdicts: Iterable[Row],
    causes: Iterable[Row],
    lost_cache: Iterable[Row],
    rules: ActionRules,
) -> list[Proposal]:
    """Return what may help, each action and target of a feature once.

    Args:
        signals: Signals of the night.
        windows: Rows of ``slo_windows``.
        attributions: Rows of ``slo_attributions``.
        verdicts: Rows of ``verdicts``.
        causes: Rows of ``root_causes``.
        lost_cache: Rows of ``rpt_finance__lost_cache_hits`` that answer yes.
        rules: When to recommend.
    """
    active = {(s.name, s.feature, s.environment): s for s in signals if s.is_active}
    by_slo = _by_slo(attributions)
    found: list[Proposal] = []
    for window in windows:
        key = (window["slo_name"], window["feature"], window["environment"])
        if key in active or window["verdict"] == "breach":
            found += _overspenders(window, by_slo.get(key, ()), rules)
    found += _of_causes(list(verdicts), {row["verdict_key"]: row for row in causes}, rules)
    found += [each for signal in active.values() for each in _of_signal(signal)]
    found += [_of_lost_cache(row) for row in lost_cache]
    return _merge(found)


def p_worse(n_bad: float, n_all: float, rest_bad: float, rest_all: float) -> float:
    """Return the probability that one bad ratio is above another, from two Jeffreys posteriors."""
    one = stats.beta(n_bad + 0.5, n_all - n_bad + 0.5)
    rest = stats.beta(rest_bad + 0.5, rest_all - rest_bad + 0.5)
    return float(np.mean(rest.cdf(one.ppf(_GRID))))


def _by_slo(attributions: Iterable[Row]) -> dict[tuple[str, str, str], list[Row]]:
    """Group attributions by SLO and subject."""
    found: dict[tuple[str, str, str], list[Row]] = {}
    for row in attributions:
        key = (row["slo_name"], row["feature"], row["environment"])
        found.setdefault(key, []).append(row)
    return found


def _overspenders(window: Row, rows: Sequence[Row], rules: ActionRules) -> Iterator[Proposal]:
    """Yield an action per dimension with a value that surely overspends.

    The worst of many values looks bad by chance alone, so the doubt that is allowed is shared out
    among them.
    """
    # Where calls are sampled, the counts rest on fewer rows than they say.
    per_call = json.loads(window["burn_windows"] or "{}").get("independence", 1.0)
    for dimension, action in DIMENSIONS.items():
        parts = [row for row in rows if row["dimension"] == dimension and row["event_count"]]
        over = sum(max(0.0, row["excess_bad_count"]) for row in parts)
        worst = max(
            parts, key=lambda row: (row["excess_bad_count"], row["dimension_value"]), default=None
        )
        if worst is None or over <= 0 or worst["dimension_value"] == _NONE:
            continue
        rest_all = sum(row["event_count"] for row in parts) - worst["event_count"]
        rest_bad = sum(row["bad_count"] for row in parts) - worst["bad_count"]
        share = worst["excess_bad_count"] / over
        n_seen = round(min(worst["event_count"], rest_all) * per_call)
        if n_seen < rules.min_calls or share < rules.min_excess_share:
            continue
        counts = (worst["bad_count"], worst["event_count"], rest_bad, rest_all)
        confidence = p_worse(*(each * per_call for each in counts))
        if confidence >= 1 - (1 - rules.confidence) / len(parts):
            has_other = dimension != "tenant_key"
            alternative = _better(parts, worst, rules, per_call) if has_other else None
            yield _overspender(
                window, action, worst, (rest_bad, rest_all), share, confidence, alternative
            )


def _overspender(
    window: Row,
    action: Action,
    worst: Row,
    rest: tuple[int, int],
    share: float,
    confidence: float,
    alternative: str | None,
) -> Proposal:
    """Return the action about one value."""
    dimension, value = worst["dimension"], worst["dimension_value"]
    rest_bad, rest_all = rest
    name = dimension.replace("_", " ")
    return Proposal(
        feature=window["feature"],
        environment=window["environment"],
        action=action,
        target=value,
        dimension=dimension,
        triggers=(window["slo_name"],),
        reason=f"{name} {value} is suspect: {worst['bad_count']} of {worst['event_count']} calls bad "
        f"for {window['slo_name']}, {rest_bad} of {rest_all} of the others; {share:.0%} of the excess",
        confidence=confidence,
        meaning=WORSE_THAN_REST,
        evidence={
            "slo_name": window["slo_name"],
            "bad_count": worst["bad_count"],
            "event_count": worst["event_count"],
            "other_bad_count": rest_bad,
            "other_event_count": rest_all,
            "excess_bad_count": worst["excess_bad_count"],
            "excess_share_ratio": share,
        },
        evidence_query=f"select * from ({window['evidence_query']}) as bad "
        f"where {dimension} = {_quote(value)}",
        alternative=alternative,
    )


def _better(parts: Sequence[Row], worst: Row, rules: ActionRules, per_call: float) -> str | None:
    """Return the best other value with calls enough; None when there is none."""
    others = [
        row
        for row in parts
        if row["dimension_value"] not in (worst["dimension_value"], _NONE)
        and round(row["event_count"] * per_call) >= rules.min_calls
        and row["bad_ratio"] < worst["bad_ratio"]
    ]
    best = min(
        others,
        key=lambda r: (r["bad_ratio"], -r["event_count"], r["dimension_value"]),
        default=None,
    )
    return None if best is None else str(best["dimension_value"])


def _of_causes(
    verdicts: Sequence[Row], causes: Mapping[str, Row], rules: ActionRules
) -> Iterator[Proposal]:
    """Yield what the likeliest cause of a breach suggests."""
    for row in verdicts:
        cause = causes.get(row["verdict_key"])
        confidence = None if row["q_value"] is None else 1.0 - row["q_value"]
        if row["verdict"] != "breach" or cause is None or confidence is None:
            continue
        if confidence >= rules.verdict_confidence:
            yield from _of_cause(row, cause, confidence)


def _of_cause(row: Row, cause: Row, confidence: float) -> Iterator[Proposal]:
    """Yield the action for one cause; nothing for an unknown one."""
    moved = _most_grown(json.loads(cause["evidence"]), cause["cause"])
    found: dict[str, tuple[Action, str | None, str | None]] = {
        "prompt": ("roll_back_prompt", row["prompt_version"] or moved, "prompt_version"),
        "model": ("route_away_from_model", row["model"] or moved, "request_model"),
        "retrieval": ("tighten_retrieval", row["feature"], None),
        "input": ("retrain", row["feature"], None),
    }
    action, target, dimension = found.get(cause["cause"], ("retrain", None, None))
    if target is None:
        return
    yield Proposal(
        feature=row["feature"],
        environment=row["environment"],
        action=action,
        target=target,
        dimension=dimension,
        triggers=(row["question"],),
        reason=f"{row['question']} changed and with it the {cause['cause']}, a suspect: "
        f"{cause['reason']}",
        confidence=confidence,
        meaning=REAL_VERDICT,
        evidence={
            "question": row["question"],
            "value": row["value"],
            "q_value": row["q_value"],
            "cause": cause["cause"],
        },
        evidence_query=cause["evidence_query"],
    )


def _most_grown(evidence: Sequence[Row], cause: str) -> str | None:
    """Return the category whose share grew most among the changed signs of a cause."""
    names = {"prompt": "prompt version", "model": "model asked for"}
    grown = [
        # What a long name was shortened to is no name to act on.
        (item["current_ratio"] - item["reference_ratio"], item.get("full_name", name))
        for sign in evidence
        if sign["is_changed"] and sign["name"] == names.get(cause)
        for name, item in (sign["moved"] or {}).items()
        if not name.startswith("(")
    ]
    best = max(grown, default=None)
    return best[1] if best is not None and best[0] > 0 else None


def _of_signal(signal: Signal) -> Iterator[Proposal]:
    """Yield what a kind of signal suggests on its own."""
    action: Action | None = None
    if signal.name.startswith("ttft"):
        action, words = (
            "scale_serving",
            "late first tokens are capacity's: load, quota, cold starts",
        )
    elif "retrieval" in signal.name or signal.name == "groundedness":
        action, words = "tighten_retrieval", "answers lack what retrieval should bring"
    if action is None:
        return
    yield Proposal(
        feature=signal.feature,
        environment=signal.environment,
        action=action,
        target=signal.feature,
        dimension=None,
        triggers=(signal.name,),
        reason=f"{words}; {signal.words}",
        confidence=None,
        meaning=NO_NUMBER,
        evidence={name: signal.details[name] for name in _COPIED if name in signal.details},
        evidence_query=signal.details.get("evidence_query", ""),
    )


_COPIED = ("bad_count", "event_count", "answer_count", "burn_rate_24h", "burn", "verdict")


def _of_lost_cache(row: Row) -> Proposal:
    """Return the action for a model whose cache is hit less than it was."""
    model = row["request_model"]
    return Proposal(
        feature=row["feature"],
        environment=row["environment"],
        action="restore_cache",
        target=model,
        dimension="request_model",
        triggers=("lost_cache_hits",),
        reason=f"cached share of the input tokens of {model} is {row['cache_hit_ratio']:.0%} in the "
        f"last 7 days, {row['baseline_cache_hit_ratio']:.0%} before; a changed beginning of the "
        "prompt is suspect",
        confidence=None,
        meaning=NO_NUMBER,
        evidence={
            "cache_hit_ratio": row["cache_hit_ratio"],
            "baseline_cache_hit_ratio": row["baseline_cache_hit_ratio"],
            "n_calls": row["n_calls"],
        },
        evidence_query="select * from marts.rpt_finance__lost_cache_hits "
        f"where feature = {_quote(row['feature'])} and request_model = {_quote(model)}",
    )


def _merge(proposals: Iterable[Proposal]) -> list[Proposal]:
    """Put proposals of the same action together; the surest one gives the numbers."""
    groups: dict[tuple[str, str, str, str], list[Proposal]] = {}
    for each in proposals:
        key = (each.feature, each.environment, each.action, each.target)
        groups.setdefault(key, []).append(each)
    merged = []
    for name in sorted(groups):
        group = sorted(groups[name], key=lambda each: (-(each.confidence or 0.0), each.triggers))
        triggers = tuple(sorted({each for one in group for each in one.triggers}))
        reasons = list(dict.fromkeys(each.reason for each in group))
        merged.append(replace(group[0], triggers=triggers, reason="; ".join(reasons[:3])))
    return merged


def _quote(text: str) -> str:
    """Return a SQL string literal."""
    return "'" + text.replace("'", "''") + "'"
