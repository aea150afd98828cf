"""What may be alerted on in a night: each signal, several families at once, and the freeze."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from include.freezeline.alerts.actions import DIMENSIONS
from include.freezeline.alerts.episodes import Episode, Identity, Observation
from include.freezeline.alerts.policy import AlertPolicy
from include.freezeline.alerts.signals import Signal
from include.freezeline.alerts.tiers import Composite, composite_of, tier_of

Row = Mapping[str, Any]
Subject = tuple[str, str]
COMPOSITE, RELEASE, FREEZE = "composite", "release", "freeze"
_N_CONTRIBUTORS = 3


def observe_night(
    signals: Sequence[Signal],
    flags: Iterable[Row],
    attributions: Iterable[Row],
    policy: AlertPolicy,
) -> tuple[list[Observation], dict[Subject, float | None]]:
    """Return what stands how, and the composite score of each feature and environment.

    Args:
        signals: Signals of every feature.
        flags: Rows of ``judgement.freeze_flags`` of the night.
        attributions: Rows of ``judgement.slo_attributions`` of the night.
        policy: The rules.
    """
    spenders = _spenders(attributions)
    found: list[Observation] = []
    scores: dict[Subject, float | None] = {}
    for subject, mine in _by_subject(signals).items():
        composite = composite_of(mine, policy)
        scores[subject] = composite.score
        found += _signal_observations(mine, composite, policy, spenders)
        found.append(_composite_observation(subject, mine, composite, policy))
    found += [_freeze_observation(flag, policy, spenders) for flag in flags]
    return found, scores


def unjudged(episodes: Iterable[Episode]) -> list[Observation]:
    """Return what to hold because a stage that judges it wrote nothing for the night."""
    return [
        Observation(
            each.identity,
            None,
            is_known=False,
            owner=each.owner,
            runbook=each.runbook,
            summary=f"{each.identity.signal} of {each.identity.feature} was not judged tonight",
        )
        for each in episodes
    ]


def _signal_observations(
    signals: Sequence[Signal],
    composite: Composite,
    policy: AlertPolicy,
    spenders: Mapping[tuple[str, str, str], list[dict[str, Any]]],
) -> list[Observation]:
    """Return the observations of one feature's signals.

    While its calls fail altogether (P0), how fast they answer is nobody's business: latency
    alerts neither open nor resolve.
    """
    tiers = {id(signal): tier_of(signal, composite, policy) for signal in signals}
    is_down = any(each.family == "errors" and tiers[id(each)] == "P0" for each in signals)
    found = []
    for signal in signals:
        observation = Observation(
            Identity(signal.environment, signal.name, signal.feature, signal.family),
            tiers[id(signal)],
            is_known=signal.state != "UNKNOWN",
            owner=signal.owner,
            runbook=signal.runbook,
            summary=f"{signal.feature} ({signal.environment}): {signal.words}",
            details={
                **signal.details,
                "state": signal.state,
                "strength": round(signal.strength, 6),
                "families": dict(composite.strengths),
                "contributors": spenders.get((signal.name, signal.feature, signal.environment), []),
            },
        )
        is_inhibited = is_down and signal.family == "latency"
        found.append(_unknown(observation) if is_inhibited else observation)
    return found


def _composite_observation(
    subject: Subject, signals: Sequence[Signal], composite: Composite, policy: AlertPolicy
) -> Observation:
    """Return the observation of several families at once."""
    feature, environment = subject
    active = sorted((each for each in signals if each.strength > 0), key=lambda each: each.name)
    families = ", ".join(composite.strengths)
    score = 0.0 if composite.score is None else composite.score
    return Observation(
        Identity(environment, COMPOSITE, feature, COMPOSITE),
        composite.tier,
        is_known=composite.score is not None,
        owner=policy.composite.owner,
        runbook=policy.composite.runbook,
        summary=f"{feature} ({environment}): {len(composite.strengths)} families at once "
        f"({families or 'none'}), composite score {score:.2f}",
        details={
            "families": dict(composite.strengths),
            "signals": [{"signal": each.name, "words": each.words} for each in active[:10]],
        },
    )


def _freeze_observation(
    flag: Row, policy: AlertPolicy, spenders: Mapping[tuple[str, str, str], list[dict[str, Any]]]
) -> Observation:
    """Return the observation of a release's freeze; RECOVERING is frozen still."""
    subject = f"{flag['feature']} ({flag['environment']})"
    is_reminded = flag["state"] == "FROZEN"
    since = f"{flag['since_at']:%Y-%m-%d %H:%M}Z"
    thaw = flag["earliest_thaw_at"]
    key = (flag["slo_name"] or "", flag["feature"], flag["environment"])
    return Observation(
        Identity(flag["environment"], RELEASE, flag["feature"], FREEZE),
        policy.freeze.tier if flag["is_frozen"] else None,
        is_known=True,
        owner=policy.freeze.owner,
        runbook=policy.freeze.runbook,
        summary=f"Releases for {subject} are {flag['state']} since {since}: {flag['reason']}",
        details={
            "state": flag["state"],
            "slo_name": flag["slo_name"],
            "since_at": flag["since_at"].isoformat(),
            "earliest_thaw_at": None if thaw is None else thaw.isoformat(),
            "data_through_at": _iso(flag["data_through_at"]),
            "revision": flag["revision"],
            **_slo_numbers(flag),
            "contributors": spenders.get(key, []),
        },
        repeat_after=timedelta(hours=policy.freeze.repeat_after_hours) if is_reminded else None,
    )


def _slo_numbers(flag: Row) -> dict[str, Any]:
    """Return how much of the deciding SLO's budget is spent."""
    listed = json.loads(flag["evaluations_json"])["slos"]
    names = ("consumed_pct_lower", "bad_count", "event_count", "limit")
    return next(
        (
            {name: item.get(name) for name in names}
            for item in listed
            if item["slo_id"] == flag["slo_name"]
        ),
        {},
    )


def _spenders(attributions: Iterable[Row]) -> dict[tuple[str, str, str], list[dict[str, Any]]]:
    """Return who overspent each SLO's budget most."""
    found: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    ordered = sorted(
        (
            row
            for row in attributions
            # Days say when a budget was spent, not by whom.
            if row["dimension"] in DIMENSIONS and row["excess_bad_count"] > 0
        ),
        key=lambda row: (-row["excess_bad_count"], row["dimension"], row["dimension_value"]),
    )
    names = ("dimension", "dimension_value", "bad_count", "event_count", "excess_bad_count")
    for row in ordered:
        mine = found.setdefault((row["slo_name"], row["feature"], row["environment"]), [])
        if len(mine) < _N_CONTRIBUTORS:
            mine.append({name: row[name] for name in names})
    return found


def _by_subject(signals: Sequence[Signal]) -> dict[Subject, list[Signal]]:
    """Group signals by feature and environment."""
    found: dict[Subject, list[Signal]] = {}
    for signal in sorted(signals, key=lambda each: (each.feature, each.environment, each.name)):
        found.setdefault((signal.feature, signal.environment), []).append(signal)
    return found


def _unknown(observation: Observation) -> Observation:
    """Return an observation of which nothing is known."""
    return replace(observation, tier=None, is_known=False)


def _iso(moment: datetime | None) -> str | None:
    """Write a time; unknown stays unknown."""
    return None if moment is None else moment.isoformat()
