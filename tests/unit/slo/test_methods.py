"""Slices, quantiles, bands, alert tiers, attribution, windows and the nowcast."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.freezeline.slo.alerts import Tier, evaluate_tier
from include.freezeline.slo.attribution import attribute, explain_change
from include.freezeline.slo.budget import Counts
from include.freezeline.slo.maturity import nowcast_bad_upper
from include.freezeline.slo.methods import evaluate_band, evaluate_quantile, evaluate_slices
from include.freezeline.slo.windows import (
    HOUR_US,
    calendar_window,
    midnights,
    parse_duration,
    rolling_window,
    to_us,
)
from tests.unit.slo.builders import AS_OF, events_at, steady

AS_OF_US = to_us(AS_OF)
LIMIT = Fraction("0.05")
COUNTS = st.dictionaries(
    st.sampled_from("abcdef"),
    st.tuples(st.integers(0, 50), st.integers(1, 500)).map(
        lambda pair: Counts(min(pair), pair[0] + pair[1])
    ),
    min_size=1,
)


def test_slices_count_empty_ones_as_good_when_traffic_pauses() -> None:
    events = events_at([1.5, 1.6, 30.0], [True, False, False])
    window = rolling_window(AS_OF, timedelta(hours=48))
    found = evaluate_slices(events, window, HOUR_US, Fraction("0.1"), Fraction("0.95"), AS_OF_US)
    assert (found.n_slices, found.n_bad_slices, found.n_empty_slices) == (48, 1, 46)
    assert found.consumed_timeslices == Fraction(1) / Fraction("2.4")
    assert found.consumed_ratio_timeslices == Fraction(1, 2) / Fraction("2.4")


@given(st.lists(st.integers(0, 40), max_size=300), st.sampled_from(["0.99", "0.95", "0.5"]))
def test_quantile_and_occurrences_agree_when_values_repeat(values: list[int], q: str) -> None:
    found = evaluate_quantile([Decimal(v) for v in values], Fraction(q), Decimal(20))
    assert found.n_values == len(values)
    assert found.is_quantile_ok == found.is_occurrence_ok


def test_band_is_closed_when_value_lies_on_its_edge() -> None:
    days = [(Fraction(100), 100)] * 30
    slices = [(Fraction(125), 100), (Fraction("125.01"), 100), (Fraction(3), 0), (Fraction(0), 0)]
    found = evaluate_band(days, slices, Fraction("0.25"), Fraction("0.5"))
    assert found is not None
    assert [item.status for item in found.slices] == [
        "good",
        "bad_high",
        "bad_cost_without_outcome",
        "empty",
    ]
    assert found.consumed == 1


def test_band_is_unknown_when_baseline_has_no_outcome() -> None:
    assert evaluate_band([(Fraction(5), 0)], [], Fraction("0.25"), Fraction("0.9")) is None


def test_tier_is_unreachable_when_limit_is_above_its_inverse_factor() -> None:
    tier = Tier("fast", Fraction("0.02"), 1, 1)
    found = evaluate_tier(tier, steady(48, 2, 2), Fraction("0.1"), Fraction(720), AS_OF_US)
    assert found.factor == Fraction("14.4")
    assert not found.is_reachable
    assert found.state == "OK"


@given(COUNTS)
def test_attribution_adds_up_when_groups_are_arbitrary(groups: dict[str, Counts]) -> None:
    parts = attribute(groups, LIMIT)
    n_bad = sum(group.n_bad for group in groups.values())
    n_all = sum(group.n_all for group in groups.values())
    assert len(parts) == len(groups)
    assert sum(part.excess_bad for part in parts) == n_bad - LIMIT * n_all
    assert sum(part.budget_share or 0 for part in parts) == Fraction(n_bad) / (LIMIT * n_all)


@given(COUNTS, COUNTS)
def test_effects_add_up_to_the_change_when_groups_come_and_go(
    before: dict[str, Counts], now: dict[str, Counts]
) -> None:
    changes = explain_change(before, now)
    assert len(changes) == len(before.keys() | now.keys())
    total = sum((item.rate_effect + item.mix_effect for item in changes), Fraction(0))
    assert total == _ratio(now) - _ratio(before)


def _ratio(groups: dict[str, Counts]) -> Fraction:
    """Return the overall bad ratio."""
    n_bad = sum(group.n_bad for group in groups.values())
    return Fraction(n_bad, sum(group.n_all for group in groups.values()))


@pytest.mark.parametrize(
    ("as_of", "duration", "hours"),
    [
        (datetime(2026, 11, 2, 5, tzinfo=UTC), "1d", 25),
        (datetime(2026, 3, 9, 4, tzinfo=UTC), "1d", 23),
        (datetime(2026, 11, 15, tzinfo=UTC), "1M", 721),
    ],
)
def test_calendar_window_follows_local_midnights_when_clocks_change(
    as_of: datetime, duration: str, hours: int
) -> None:
    window = calendar_window(as_of, duration, "America/New_York")
    assert window.length_us == hours * HOUR_US
    assert window.started_at < as_of <= window.ended_at


@pytest.mark.parametrize("text", ["1M", "28", "d", "0d", "1.5h", "28D", ""])
def test_duration_is_refused_when_it_has_no_fixed_length(text: str) -> None:
    with pytest.raises(ValueError, match="whole number"):
        parse_duration(text)


def test_midnights_are_half_open_when_interval_is_several_days() -> None:
    start = datetime(2026, 9, 1, tzinfo=UTC)
    nights = midnights(start, start + timedelta(days=42))
    assert len(nights) == 42
    assert nights[0] == start + timedelta(days=1)
    assert nights[-1] == start + timedelta(days=42)
    assert midnights(start, start) == []


def test_nowcast_lies_between_known_and_worst_case_when_outcomes_are_late() -> None:
    lag = timedelta(hours=72)
    hours = [i * 28 * 24 / 5600 for i in range(1, 5601)]
    bad = [i % 50 == 0 for i in range(5600)]
    events = events_at(hours, bad, delay_h=30.0)
    n_known = int(events.is_bad(AS_OF_US).sum())
    n_final = sum(bad)
    upper = nowcast_bad_upper(events, lag, AS_OF_US)
    n_pending = sum(h < 72 for h in hours) - sum(
        30 < h < 72 and b for h, b in zip(hours, bad, strict=True)
    )
    assert 0 < n_known < n_final
    assert n_final <= upper < n_known + n_pending
    assert nowcast_bad_upper(events, None, AS_OF_US) == n_known
