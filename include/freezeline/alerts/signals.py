"""One signal of one feature: how it stands, how strongly, and how urgent that is on its own."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

from include.freezeline.alerts.burn import (
    BurnResult,
    LeftOut,
    burn_details,
    burn_words,
    judge_burns,
    usable_tiers,
)
from include.freezeline.alerts.policy import AlertPolicy, Family, ScoreRule
from include.freezeline.contracts.judgement_alerts import AlertTier
from include.freezeline.slo.alerts import BURN_COUNT_HOURS
from include.freezeline.slo.budget import Counts
from include.freezeline.slo.evidence import jeffreys_p_at_least

SignalState = Literal["CRITICAL", "FAST", "SLOW", "RISING", "OK", "UNKNOWN"]
Row = Mapping[str, Any]
_SEVERITY: tuple[SignalState, ...] = ("UNKNOWN", "OK", "RISING", "SLOW", "FAST", "CRITICAL")
_MIN_BAD_ANSWERS = 2
_HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal of a feature in an environment.

    Attributes:
        name: SLO, question or evaluator.
        family: Its family.
        feature: Feature.
        environment: Environment.
        state: ``CRITICAL``: P0 whatever else is well; ``FAST`` and ``SLOW``: fires; ``RISING``:
            only a sign; ``UNKNOWN``: too little is known, which neither opens nor resolves.
        strength: 0 to 1, for the composite score.
        owner: Who answers for it.
        runbook: Where it says what to do.
        words: How it stands, in words.
        at_most: Most urgent tier it may have; None for any.
        details: Its numbers.
    """

    name: str
    family: Family
    feature: str
    environment: str
    state: SignalState
    strength: float
    owner: str
    runbook: str
    words: str
    at_most: AlertTier | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_active(self) -> bool:
        """Whether it says that something is wrong."""
        return self.state not in ("OK", "UNKNOWN")


def slo_signal(window: Row, listed: Row, policy: AlertPolicy) -> Signal:
    """Return the signal of an SLO's evaluated window.

    Args:
        window: Row of ``judgement.slo_windows``.
        listed: What the flag lists about the SLO: owner, runbook, title.
        policy: The rules.
    """
    rule = policy.rule_of(window["slo_name"])
    limit = Fraction(window["limit_text"])
    length = window["window_ended_at"] - window["window_started_at"]
    compliance_h = Fraction(int(length.total_seconds()), _HOUR_S)
    counts = _read_counts(window["burn_windows"])
    used, left_out = usable_tiers(policy.burn, limit, compliance_h)
    results = judge_burns(used, counts, limit, compliance_h, policy.burn)
    state, strength = _slo_state(window, results, counts, rule.family, policy)
    return Signal(
        name=window["slo_name"],
        family=rule.family,
        feature=window["feature"],
        environment=window["environment"],
        state=state,
        strength=strength,
        owner=listed.get("owner") or rule.owner,
        runbook=listed.get("runbook") or rule.runbook,
        words=_slo_words(window, listed, results),
        at_most=rule.at_most,
        details={**_slo_numbers(window), **burn_details(results, left_out)},
    )


def verdict_signals(verdicts: Iterable[Row], policy: AlertPolicy) -> list[Signal]:
    """Return a signal per question, feature and environment: that of its worst segment."""
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in verdicts:
        groups.setdefault((row["feature"], row["environment"], row["question"]), []).append(row)
    return [_verdict_signal(groups[key], policy) for key in sorted(groups)]


def score_signals(scores: Iterable[Row], policy: AlertPolicy) -> list[Signal]:
    """Return the signals of the shares of bad scores.

    Args:
        scores: Feature, environment, evaluator, ``n_bad`` and ``n_answers`` of a night.
        policy: The rules.
    """
    rules = {rule.evaluator: rule for rule in policy.scores}
    return [
        _score_signal(row, rules[row["evaluator"]], policy)
        for row in scores
        if row["evaluator"] in rules
    ]


def left_out_tiers(
    limit: Fraction, compliance_h: Fraction, policy: AlertPolicy
) -> tuple[LeftOut, ...]:
    """Return the burn tiers that say nothing about an SLO."""
    return usable_tiers(policy.burn, limit, compliance_h)[1]


def worst_of(states: Iterable[SignalState]) -> SignalState:
    """Return the worst of some states."""
    return max(states, key=_SEVERITY.index)


def _read_counts(text: str | None) -> dict[int, Counts]:
    """Read the counts of the last hours back; rows of an older release have none."""
    hours = json.loads(text)["hours"] if text else {}
    nothing = {"bad_count": 0, "event_count": 0, "independence": 1.0}
    return {
        length: Counts(item["bad_count"], item["event_count"], item["independence"])
        for length in BURN_COUNT_HOURS
        for item in [hours.get(str(length), nothing)]
    }


def _slo_state(
    window: Row,
    results: Sequence[BurnResult],
    counts: Mapping[int, Counts],
    family: str,
    policy: AlertPolicy,
) -> tuple[SignalState, float]:
    """Return state and strength of an SLO; without data, such as a silent feed's, none is known."""
    if not window["state_hint"]:
        return "UNKNOWN", 0.0
    if family == "errors" and _is_down(counts, policy):
        return "CRITICAL", 1.0
    if not results or _is_known_late(window, results):
        return _verdict_state(window["verdict"], policy)
    strength = max(result.strength for result in results)
    firing = [result for result in results if result.state == "FIRING"]
    if firing:
        is_fast = any(result.tier.is_fast for result in firing)
        return ("FAST" if is_fast else "SLOW"), max(strength, 1.0 if is_fast else 0.0)
    if any(result.state == "RISING" for result in results) and strength > 0:
        return "RISING", strength
    if all(result.state == "UNKNOWN" for result in results):
        return "UNKNOWN", 0.0
    return "OK", 0.0


def _is_known_late(window: Row, results: Sequence[BurnResult]) -> bool:
    """Whether no short window has an event, as with scores and settled days: they come too late."""
    is_counted = window["burn_windows"] is not None
    return is_counted and all(result.burn_short is None for result in results)


def _is_down(counts: Mapping[int, Counts], policy: AlertPolicy) -> bool:
    """Whether half of the calls of the shortest window failed, of calls enough."""
    shortest = counts[min(tier.short_h for tier in policy.burn.tiers)]
    share = Fraction(str(policy.tiers.p0_error_ratio))
    is_enough = shortest.n_seen >= policy.burn.min_long_events
    return is_enough and shortest.n_bad >= share * shortest.n_all


def _verdict_state(verdict: str, policy: AlertPolicy) -> tuple[SignalState, float]:
    """Return what a verdict says as a signal."""
    states: dict[str, tuple[SignalState, float]] = {
        "breach": ("SLOW", 1.0),
        "warning": ("RISING", policy.tiers.warning_strength),
        "ok": ("OK", 0.0),
    }
    return states.get(verdict, ("UNKNOWN", 0.0))


def _verdict_signal(rows: Sequence[Row], policy: AlertPolicy) -> Signal:
    """Return the signal of one question about one feature."""
    states = [_verdict_state(row["verdict"], policy) for row in rows]
    state = worst_of(each for each, _ in states)
    worst = [row for row, (each, _) in zip(rows, states, strict=True) if each == state]
    worst.sort(key=lambda row: [row[name] or "" for name in _SEGMENT[:3]])
    first = worst[0]
    rule = policy.rule_of(first["question"])
    return Signal(
        name=first["question"],
        family=rule.family,
        feature=first["feature"],
        environment=first["environment"],
        state=state,
        strength=max(strength for _, strength in states),
        owner=rule.owner,
        runbook=rule.runbook,
        words=_verdict_words(first),
        at_most=rule.at_most,
        details={
            "verdict": first["verdict"],
            "segments": [_segment(row) for row in worst[:5]],
            "n_segments": len(worst),
            "evidence_query": first["evidence_query"],
        },
    )


def _verdict_words(row: Row) -> str:
    """Say a verdict without naming its feature, which is named before it."""
    is_named = row["reason"].startswith(f"{row['feature']} ({row['environment']}")
    said = row["reason"].partition("): ")[2] if is_named else row["reason"]
    return said if said.startswith(row["question"]) else f"{row['question']}: {said}"


def _segment(row: Row) -> dict[str, Any]:
    """Return whom a verdict is about, and its numbers."""
    return {name: row[name] for name in _SEGMENT if row[name] is not None}


_SEGMENT = ("model", "prompt_version", "tenant_key", "value", "threshold", "q_value")


def _score_signal(row: Row, rule: ScoreRule, policy: AlertPolicy) -> Signal:
    """Return the signal of a share of bad scores."""
    n_bad, n_all = int(row["n_bad"]), int(row["n_answers"])
    limit = Fraction(str(rule.limit))
    state: SignalState = "UNKNOWN"
    if n_all >= policy.burn.min_long_events:
        is_sure = jeffreys_p_at_least(n_bad, n_all, limit) >= policy.burn.evidence
        state = "SLOW" if is_sure and n_bad >= _MIN_BAD_ANSWERS else "OK"
    if state == "SLOW" and rule.is_safety:
        state = "CRITICAL"
    return Signal(
        name=rule.evaluator,
        family="quality",
        feature=row["feature"],
        environment=row["environment"],
        state=state,
        strength=1.0 if state in ("SLOW", "CRITICAL") else 0.0,
        owner=rule.owner,
        runbook=rule.runbook,
        words=f"{rule.evaluator}: {n_bad} of {n_all} sampled answers are bad, where at most "
        f"{rule.limit:.1%} may be",
        details={"bad_count": n_bad, "answer_count": n_all, "limit": rule.limit},
    )


def _slo_words(window: Row, listed: Row, results: Sequence[BurnResult]) -> str:
    """Say how an SLO stands."""
    title = listed.get("title") or window["slo_name"]
    firing = [each for each in results if each.state == "FIRING"]
    said = "" if _is_known_late(window, results) else burn_words(firing or results[:1])
    name = f"{title} ({window['slo_name']})"
    return f"{name}: the budget burns {said}" if said else f"{name}: {window['reason']}"


def _slo_numbers(window: Row) -> dict[str, Any]:
    """Return the numbers that a message shows."""
    names = (
        "objective", "limit_text", "event_count", "bad_count", "bad_lower_ratio",
        "consumed_lower_ratio", "burn_rate_24h", "bad_24h_ratio", "worst_24h_ratio",
        "time_to_exhaustion_h", "verdict", "evidence_query",
    )  # fmt: skip
    return {name: window[name] for name in names}
