"""Burn tiers, the composite score of the sheet, and how urgent a signal is."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from include.freezeline.alerts.policy import TIERS
from include.freezeline.alerts.signals import (
    left_out_tiers,
    score_signals,
    slo_signal,
    verdict_signals,
)
from include.freezeline.alerts.tiers import composite_of, tier_of
from tests.unit.alerts.builders import POLICY, policy, signal, window

FAMILIES = ("outcome", "errors", "quality", "latency", "cost", "drift")
LISTED = {"owner": "serving", "runbook": "docs/slo.md#answers-start-late", "title": "First token"}


def slo(**changes: Any) -> Any:
    return slo_signal(window(**changes), LISTED, POLICY)


def tier_alone(**changes: Any) -> str | None:
    found = signal(**changes)
    return tier_of(found, composite_of([found], POLICY), POLICY)


def burning(ratio: float) -> dict[int, tuple[int, int]]:
    sizes = {1: 100, 2: 200, 6: 600, 24: 2400, 72: 7200}
    return {hours: (round(ratio * n), n) for hours, n in sizes.items()}


@pytest.mark.parametrize(
    ("hours", "state"),
    [
        (burning(0.0), "OK"),
        (burning(0.06), "FAST"),  # 6 times too fast; the 6 h tier of 28 days fires at 5.6
        (burning(0.05), "SLOW"),  # past the day's 2.8
        (burning(0.014), "SLOW"),  # past 0.933 of the 72 h tier
        ({**burning(0.0), 1: (20, 100), 2: (20, 200), 6: (20, 600), 24: (20, 2400)}, "RISING"),
        (dict.fromkeys((1, 2, 6, 24, 72), (3, 4)), "UNKNOWN"),
    ],
)
def test_slo_state_is_that_of_its_burn_windows(hours: Any, state: str) -> None:
    assert slo(hours=hours).state == state


def test_strength_is_the_share_of_the_way_to_the_factor() -> None:
    assert slo(hours=burning(0.014)).strength == pytest.approx(0.4 / 1.8, rel=0.05)
    assert slo(hours=burning(0.03)).strength == 1.0
    assert slo(hours=burning(0.0)).strength == 0.0


def test_signal_carries_owner_and_runbook_of_the_slo_file() -> None:
    found = slo(hours=burning(0.06))
    assert (found.owner, found.runbook) == ("serving", "docs/slo.md#answers-start-late")
    assert "6 h 6x and 1 h 6x (fires at 5.6)" in found.words
    assert found.details["burn"][0]["state"] == "FIRING"


def test_ttft_and_tpot_are_routed_apart() -> None:
    assert POLICY.rule_of("ttft-p99").owner == "serving"
    assert POLICY.rule_of("tpot-p99").owner == "model-owners"
    assert POLICY.rule_of("ttft-p99").runbook != POLICY.rule_of("tpot-p99").runbook


def test_tier_that_can_never_fire_is_left_out_and_said() -> None:
    (fast,) = left_out_tiers(Fraction("0.2"), Fraction(672), POLICY)
    assert fast.tier.name == "fast"
    assert "could never fire" in fast.reason
    assert left_out_tiers(Fraction("0.01"), Fraction(672), POLICY) == ()


def test_slo_of_one_day_is_judged_by_its_verdict() -> None:
    from datetime import timedelta

    from tests.unit.alerts.builders import NIGHT

    assert len(left_out_tiers(Fraction("0.01"), Fraction(24), POLICY)) == 3
    day = {"window_started_at": NIGHT - timedelta(days=1), "hours": burning(0.5)}
    assert slo(**day, verdict="ok").state == "OK"
    assert slo(**day, verdict="breach").state == "SLOW"
    assert "too short" in next(iter(slo(**day).details["left_out"].values()))


@pytest.mark.parametrize(
    ("verdict", "state"),
    [("breach", "SLOW"), ("warning", "RISING"), ("ok", "OK"), ("insufficient_evidence", "UNKNOWN")],
)
def test_slo_whose_events_are_known_late_is_judged_by_its_verdict(verdict: str, state: str) -> None:
    """Scores are known from the second night on: the last 24 hours never have any."""
    hours = {**dict.fromkeys((1, 2, 6, 24), (0, 0)), 72: (0, 600)}
    assert slo(slo_name="refusal-rate", hours=hours, verdict=verdict).state == state


def test_one_sampled_call_is_no_complete_failure() -> None:
    """It stands for 27 calls, all of which would have failed."""
    hours = {**burning(0.0), 1: (27, 27)}
    one = slo(slo_name="hard-error-rate", hours=hours, independence=1 / 27)
    assert one.state != "CRITICAL"
    assert slo(slo_name="hard-error-rate", hours=hours).state == "CRITICAL"


def test_half_of_the_calls_failing_is_p0() -> None:
    down = slo(slo_name="hard-error-rate", limit_text="0.005", hours=burning(0.5))
    assert down.state == "CRITICAL"
    assert tier_of(down, composite_of([down], POLICY), POLICY) == "P0"
    assert slo(hours=burning(0.5)).state == "FAST"  # slow is not down


@pytest.mark.parametrize("ratio", [0.0, 0.06])
def test_slo_whose_outcome_feed_is_silent_neither_opens_nor_resolves(ratio: float) -> None:
    silent = slo(hours=burning(ratio), verdict="insufficient_evidence", state_hint="")
    assert (silent.state, silent.strength) == ("UNKNOWN", 0.0)


def test_row_of_an_older_release_is_unknown() -> None:
    assert slo(burn_windows=None).state == "UNKNOWN"


def test_composite_score_is_that_of_the_sheet() -> None:
    signals = [
        signal(name="ttft-p99", state="FAST", strength=1.0),
        signal(name="tpot-p99", state="SLOW", strength=0.4),
        signal(name="support-escalation", family="outcome", state="SLOW", strength=0.5),
    ]
    found = composite_of(signals, POLICY)
    assert found.score == pytest.approx(1 - (1 - 0.3) * (1 - 0.25))
    assert found.strengths == {"latency": 1.0, "outcome": 0.5}
    assert found.tier == "P2"


def test_several_strong_families_are_p1_together() -> None:
    signals = [
        signal(state="FAST", strength=1.0),
        signal(name="outcome", family="outcome", state="FAST", strength=1.0),
    ]
    assert composite_of(signals, POLICY).tier == "P1"


def test_nothing_known_has_no_score() -> None:
    assert composite_of([signal(state="UNKNOWN")], POLICY).score is None


@pytest.mark.parametrize(
    ("family", "state", "strength", "tier"),
    [
        ("outcome", "FAST", 1.0, "P1"),
        ("errors", "FAST", 1.0, "P1"),
        ("quality", "FAST", 1.0, "P2"),
        ("latency", "FAST", 1.0, "P2"),
        ("drift", "SLOW", 1.0, "P2"),
        ("cost", "RISING", 0.5, "P3"),
        ("outcome", "RISING", 0.7, "P2"),
        ("latency", "OK", 0.0, None),
    ],
)
def test_tier_of_one_family_alone(family: str, state: Any, strength: float, tier: Any) -> None:
    assert tier_alone(family=family, state=state, strength=strength) == tier


def test_quality_rises_to_p1_beside_another_family() -> None:
    quality = signal(name="groundedness", family="quality", state="FAST", strength=1.0)
    beside = composite_of([quality, signal(state="SLOW", strength=0.5)], POLICY)
    assert tier_of(quality, beside, POLICY) == "P1"


def test_at_most_caps_a_signal() -> None:
    assert tier_alone(state="SLOW", strength=1.0, at_most="P3") == "P3"


states = st.sampled_from(["FAST", "SLOW", "RISING", "OK", "UNKNOWN"])
strengths = st.floats(0, 1, allow_nan=False)


@given(
    st.sampled_from(FAMILIES),
    st.lists(st.tuples(states, strengths), min_size=1, max_size=4),
)
def test_one_family_never_exceeds_p2_unless_it_may_lead(family: Any, drawn: Any) -> None:
    signals = [
        signal(name=f"s{number}", family=family, state=state, strength=strength)
        for number, (state, strength) in enumerate(drawn)
    ]
    composite = composite_of(signals, POLICY)
    assert composite.tier is None
    tiers = [tier_of(each, composite, POLICY) for each in signals]
    worst = min((TIERS.index(tier) for tier in tiers if tier is not None), default=3)
    assert worst >= (1 if family in ("outcome", "errors") else 2)


@given(st.lists(st.tuples(st.sampled_from(FAMILIES), strengths), max_size=6))
def test_composite_is_a_share_and_grows_with_every_signal(drawn: Any) -> None:
    signals = [
        signal(name=f"s{number}", family=family, state="SLOW", strength=strength)
        for number, (family, strength) in enumerate(drawn)
    ]
    scores = [composite_of(signals[:n], POLICY).score or 0.0 for n in range(len(signals) + 1)]
    assert scores == sorted(scores)
    assert all(0 <= score <= 1 for score in scores)


def verdict(**changes: Any) -> dict[str, Any]:
    given = {
        "question": "semantic_shift", "feature": "support-assistant", "environment": "production",
        "verdict": "ok", "model": "m", "prompt_version": None, "tenant_key": None, "value": 0.6,
        "threshold": 0.57, "q_value": 0.001, "reason": "shifted", "evidence_query": "select 1",
    }  # fmt: skip
    return {**given, **changes}


def test_question_is_as_bad_as_its_worst_segment() -> None:
    rows = [verdict(model="a"), verdict(model="b", verdict="breach"), verdict(verdict="warning")]
    (found,) = verdict_signals(rows, POLICY)
    assert (found.state, found.strength, found.family) == ("SLOW", 1.0, "drift")
    assert found.details["segments"] == [
        {"model": "b", "value": 0.6, "threshold": 0.57, "q_value": 0.001}
    ]


def test_question_without_evidence_is_unknown() -> None:
    (found,) = verdict_signals([verdict(verdict="insufficient_evidence")], POLICY)
    assert (found.state, found.strength) == ("UNKNOWN", 0.0)


@pytest.mark.parametrize(
    ("evaluator", "n_bad", "n_answers", "state"),
    [
        ("toxicity", 12, 60, "CRITICAL"),
        ("toxicity", 1, 60, "OK"),
        ("toxicity", 5, 5, "UNKNOWN"),
        ("groundedness", 40, 60, "SLOW"),
    ],
)
def test_share_of_bad_scores_is_a_signal(
    evaluator: str, n_bad: int, n_answers: int, state: str
) -> None:
    row = {"feature": "f", "environment": "e", "evaluator": evaluator, "n_bad": n_bad,
           "n_answers": n_answers}  # fmt: skip
    (found,) = score_signals([row, {**row, "evaluator": "tone"}], POLICY)
    assert found.state == state


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"families": {"outcome": {"weight": 0.5}}}, "families: add errors"),
        ({"signals": [POLICY.signals[0].model_dump()]}, "the last must match"),
        ({"channels": [POLICY.channels[0].model_dump()] * 2}, "each name once"),
        ({"burn": {**POLICY.burn.model_dump(), "tiers": [
            {"name": "odd", "budget": 0.1, "long_h": 5, "short_h": 1}]}}, "got 5"),
        ({"burn": {**POLICY.burn.model_dump(), "tiers": [
            {"name": "odd", "budget": 0.1, "long_h": 1, "short_h": 6}]}}, "below long_h"),
    ],
)  # fmt: skip
def test_policy_says_what_is_wrong(changes: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        policy(**changes)


def test_packaged_policy_sends_nothing() -> None:
    assert not any(channel.is_enabled for channel in POLICY.channels)
