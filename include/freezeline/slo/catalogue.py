"""Load the SLO files; adding an SLO is adding one file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

from include.freezeline.config import load_yaml, parse_config
from include.freezeline.errors import ConfigError
from include.freezeline.slo.budget import Objective, Op
from include.freezeline.slo.policy import DEFAULT_POLICY, FreezePolicy, load_freeze_rules
from include.freezeline.slo.slices import Slices
from include.freezeline.slo.spec import (
    SloDocument,
    TargetObjective,
    event_sources,
    find_disagreement,
)
from include.freezeline.slo.spec_window import TimeWindow
from include.freezeline.slo.windows import WindowRule, parse_duration

ANY_FEATURE = "*"
_DEFAULT_EVENT_TIME = "called_at"
_DEFAULT_ARRIVAL = "arrived_at"


@dataclass(frozen=True, slots=True)
class Slo:
    """One SLO, ready to evaluate.

    Attributes:
        name: ``metadata.name``.
        title: What it is, for people.
        description: Why it exists.
        objective_text: The objective in words.
        feature: Feature judged, or ``*`` for each one.
        relation: Mart with the events.
        is_event_sql: Condition of an event.
        is_bad_sql: Condition of a bad one.
        event_at_column: Time of the event.
        bad_known_at_column: When a bad outcome became known; None: with the event.
        limit_text: Allowed bad ratio as written.
        objective: The numbers.
        arrived_at_column: When we learned of the event.
        window: Compliance window.
        slices: How it is cut into slices; None counts events.
        consequence: ``freeze`` or ``warn``.
        fact: Fact that brings the bad outcomes; None when they come with the event.
        fact_silence: Time without a landed file of the fact after which nothing is judged.
        trip_wire: Detector score that freezes; None without a trip wire.
        evidence: Probability a low-volume breach needs to freeze.
        policy_name: Policy of ``config/freeze.yml``.
        policy: Its numbers, with the maturity lag.
        owner: Team that answers for it.
        runbook: What to do when it breaks.
    """

    name: str
    title: str
    description: str
    objective_text: str
    feature: str
    relation: str
    is_event_sql: str
    is_bad_sql: str
    event_at_column: str
    bad_known_at_column: str | None
    limit_text: str
    objective: Objective
    arrived_at_column: str
    window: WindowRule
    slices: Slices | None
    consequence: str
    fact: str | None
    fact_silence: timedelta
    trip_wire: int | None
    evidence: float
    policy_name: str
    policy: FreezePolicy
    owner: str
    runbook: str

    @property
    def window_text(self) -> str:
        """The compliance window in words."""
        return self.window.text

    def judges(self, feature: str) -> bool:
        """Whether the SLO is about a feature."""
        return self.feature in (ANY_FEATURE, feature)


def load_slos(config_dir: Path) -> tuple[Slo, ...]:
    """Load every SLO of ``<config_dir>/slos/*.yml``, ordered by name.

    Raises:
        ConfigError: A file is wrong, two SLOs overlap, or there is none at all.
    """
    folder = config_dir / "slos"
    paths = sorted(folder.glob("*.yml"))
    if not paths:
        message = f"{folder}: no SLO files (*.yml); without one nothing can be judged (add one)"
        raise ConfigError(message)
    by_path = {path: load_slo(path) for path in paths}
    _check_overlap(by_path)
    _check_facts(by_path, config_dir / "facts")
    return tuple(sorted(by_path.values(), key=lambda slo: slo.name))


def load_slo(path: Path) -> Slo:
    """Load one SLO file; policies are those of ``freeze.yml`` beside its folder.

    Raises:
        ConfigError: Names file, field, value and remedy.
    """
    data = load_yaml(path)
    if not isinstance(data, Mapping):
        message = f"{path}: must hold one OpenSLO document (apiVersion, kind, metadata, spec)"
        raise ConfigError(message)
    document = parse_config(SloDocument, path, data)
    problem = find_disagreement(document)
    if problem is not None:
        message = f"{path}: {problem}"
        raise ConfigError(message)
    policies = _policies(path)
    name = document.metadata.annotations.policy
    if name not in policies:
        message = (
            f"{path}: metadata.annotations.freezeline.dev/policy: no such policy {name!r} "
            f"(one of {', '.join(policies)}, freeze.yml)"
        )
        raise ConfigError(message)
    slo = _compile(document, policies)
    if slo.name != path.stem:
        message = f"{path}: metadata.name must equal the file name, got {slo.name!r} (rename one)"
        raise ConfigError(message)
    return slo


def slo_json_schema() -> dict[str, Any]:
    """Return the JSON Schema of an SLO file, for editors."""
    schema = SloDocument.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _policies(path: Path) -> Mapping[str, FreezePolicy]:
    """Return the policies that a file may name; the house's alone for a file that lies by itself."""
    folder = path.parent.parent
    if not (folder / "freeze.yml").exists():
        return {DEFAULT_POLICY: FreezePolicy()}
    return load_freeze_rules(folder).compiled()


def _compile(document: SloDocument, policies: Mapping[str, FreezePolicy]) -> Slo:
    """Turn the document into what evaluation needs."""
    notes, spec = document.metadata.annotations, document.spec
    bad, total = event_sources(document)
    lag = parse_duration(notes.maturity_lag) if notes.maturity_lag is not None else None
    return Slo(
        name=document.metadata.name,
        title=document.metadata.displayName,
        description=spec.description,
        objective_text=spec.objectives[0].displayName,
        feature=ANY_FEATURE if notes.features == ANY_FEATURE else spec.service,
        relation=total.relation,
        is_event_sql=total.where,
        is_bad_sql=bad.where,
        event_at_column=total.eventTime or _DEFAULT_EVENT_TIME,
        bad_known_at_column=bad.knownAt,
        limit_text=notes.limit,
        objective=Objective(
            Fraction(notes.limit), notes.op, lag, min_window_events=int(notes.min_window_events)
        ),
        arrived_at_column=total.arrivedAt or _DEFAULT_ARRIVAL,
        window=_window_rule(spec.timeWindow[0]),
        slices=_slices(spec.objectives[0], notes.op),
        consequence=notes.consequence,
        fact=notes.fact,
        fact_silence=parse_duration(notes.fact_silence),
        trip_wire=int(notes.trip_wire) if notes.trip_wire is not None else None,
        evidence=float(notes.evidence),
        policy_name=notes.policy,
        policy=policies[notes.policy].with_lag(lag),
        owner=notes.owner,
        runbook=notes.runbook,
    )


def _window_rule(given: TimeWindow) -> WindowRule:
    """Return the rule of a compliance window."""
    if given.calendar is None:
        return WindowRule(given.duration, length=parse_duration(given.duration))
    zone = given.calendar.timeZone
    return WindowRule(f"{given.duration} in {zone}", period=given.duration, zone_name=zone)


def _slices(given: TargetObjective, op: Op) -> Slices | None:
    """Return how the window is cut; None when events are counted."""
    if given.timeSliceWindow is None or given.timeSliceTarget is None:
        return None
    length_us = parse_duration(given.timeSliceWindow) // timedelta(microseconds=1)
    limit = 1 - Fraction(str(given.timeSliceTarget))
    return Slices(length_us, limit, op, given.timeSliceWindow)


def _check_facts(by_path: Mapping[Path, Slo], folder: Path) -> None:
    """Reject an SLO that waits for a fact nobody declares; it would hold its state for ever."""
    if not folder.is_dir():
        return
    known = sorted(path.stem for path in folder.glob("*.yml"))
    for path, slo in by_path.items():
        if slo.fact is not None and slo.fact not in known:
            message = (
                f"{path}: metadata.annotations.freezeline.dev/fact: no such fact {slo.fact!r} "
                f"(one of {', '.join(known) or 'none'}; or add {folder / slo.fact}.yml)"
            )
            raise ConfigError(message)


def _check_overlap(by_path: Mapping[Path, Slo]) -> None:
    """Reject two SLOs that count the same bad events of the same features."""
    seen: dict[tuple[object, ...], list[tuple[Path, Slo]]] = {}
    for path, slo in by_path.items():
        key = (slo.relation, slo.slices, _normal(slo.is_event_sql), _normal(slo.is_bad_sql))
        for other_path, other in seen.get(key, []):
            if _share_features((slo, other)):
                message = (
                    f"{path}: counts the same events as {other_path.name} for the same features "
                    "(remove one, or make their conditions differ)"
                )
                raise ConfigError(message)
        seen.setdefault(key, []).append((path, slo))


def _share_features(pair: Sequence[Slo]) -> bool:
    """Whether two SLOs judge a feature in common."""
    features = {slo.feature for slo in pair}
    return len(features) == 1 or ANY_FEATURE in features


def _normal(sql: str) -> str:
    """Return a condition without its spacing and case."""
    return " ".join(sql.lower().split())
