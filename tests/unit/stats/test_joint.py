"""A change of every request told from an odd mix of them."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.freezeline.stats.hourly_scan import HourlyPlan
from include.freezeline.stats.joint import JointEvidence, scan_joint

N_HOURS, JUDGED_FROM = 33 * 24, 28 * 24
COUNTS = np.full(N_HOURS, 400.0)
PLAN = HourlyPlan(min_change_ratio=0.2, is_two_sided=True)
CHANGE = math.log1p(PLAN.min_change_ratio)
USUAL = (600.0, 100.0, 400.0, 900.0, 1500.0)


def _mixes(seed: int, scale: float = 0.3) -> list[np.ndarray]:
    """Return five readings of which two wander together with the mix and three stand still."""
    rng = np.random.default_rng(seed)
    mix = np.repeat(rng.normal(0.0, scale, N_HOURS // 6), 6)
    noise = rng.normal(0.0, 0.01, (5, N_HOURS))
    rows = np.array(USUAL)[:, None] * np.exp(noise)
    rows[0] *= np.exp(mix)
    rows[4] *= np.exp(mix)
    return list(rows)


def _risen(
    rows: list[np.ndarray], factor: float, start: int, end: int = N_HOURS
) -> list[np.ndarray]:
    hours = np.arange(N_HOURS)
    return [np.where((hours >= start) & (hours < end), row * factor, row) for row in rows]


@pytest.mark.parametrize(("factor", "within"), [(1.5, 6), (1.25, 24), (1 / 1.5, 6), (1 / 1.25, 24)])
def test_change_of_every_request_is_found_in_a_mean_that_wanders(
    factor: float, within: int
) -> None:
    start = JUDGED_FROM + 40
    for seed in range(5):
        scan = scan_joint(_risen(_mixes(seed), factor, start), COUNTS, JUDGED_FROM, PLAN)
        assert len(scan.alarms) == 1
        assert scan.alarms[0].is_rise == (factor > 1.0)
        assert 0 <= scan.alarms[0].hour - start < within
        assert abs(scan.alarms[0].began - start) <= 1


def test_other_mix_is_no_change() -> None:
    for seed in range(5):
        rows = _mixes(10 + seed)
        late = np.arange(N_HOURS) >= JUDGED_FROM + 30
        rows[0], rows[4] = (np.where(late, row * 1.6, row) for row in (rows[0], rows[4]))
        assert not scan_joint(rows, COUNTS, JUDGED_FROM, PLAN).alarms


def test_level_that_returns_every_other_day_is_no_news() -> None:
    rows = _mixes(20, 0.02)
    for day in range(0, 33, 2):
        rows = _risen(rows, 1.5, day * 24 + 8, day * 24 + 16)
    assert not scan_joint(rows, COUNTS, JUDGED_FROM, PLAN).alarms


def test_change_that_stays_is_not_told_again() -> None:
    for day in (10, 25):
        scan = scan_joint(_risen(_mixes(30), 1.7, day * 24 + 5), COUNTS, JUDGED_FROM, PLAN)
        assert scan.p_value is not None
        assert not scan.alarms


def test_second_change_on_top_of_a_young_one_is_told() -> None:
    first, second = JUDGED_FROM + 6, JUDGED_FROM + 60
    rows = _risen(_risen(_mixes(31), 1.7, first), 1.5, second)
    alarms = scan_joint(rows, COUNTS, JUDGED_FROM, PLAN).alarms
    assert [alarm.hour // 24 for alarm in alarms] == [first // 24, second // 24]


def test_daily_season_of_all_readings_is_taken_out() -> None:
    season = np.exp(0.4 * np.sin(2.0 * np.pi * np.arange(N_HOURS) / 24.0))
    rows = [row * season for row in _mixes(40, 0.02)]
    quiet = scan_joint(rows, COUNTS, JUDGED_FROM, PLAN)
    assert quiet.season == "daily"
    assert not quiet.alarms
    start = JUDGED_FROM + 30
    hours = [
        a.hour - start
        for a in scan_joint(_risen(rows, 1.5, start), COUNTS, JUDGED_FROM, PLAN).alarms
    ]
    assert [hour < 6 for hour in hours] == [True]


def test_rate_of_false_alarms_is_kept() -> None:
    n_alarms = sum(len(scan_joint(_mixes(s, 0.1 + s % 3 * 0.1), COUNTS, JUDGED_FROM, PLAN).alarms) for s in range(100, 160))  # fmt: skip
    # 60 series of 5 days are 10 months: 10 expected at most, 18 is beyond chance.
    assert n_alarms <= 18


def test_p_value_is_small_after_a_change_and_never_0() -> None:
    rows = _mixes(50)
    quiet = scan_joint(rows, COUNTS, JUDGED_FROM, PLAN).p_value
    loud = scan_joint(_risen(rows, 2.0, JUDGED_FROM + 4), COUNTS, JUDGED_FROM, PLAN).p_value
    assert quiet is not None
    assert loud is not None
    assert quiet > 0.05
    assert 0.0 < loud < 0.001


def test_too_short_and_missing_series_get_no_answer() -> None:
    rows = _mixes(60)
    rows[2][: JUDGED_FROM - 48] = np.nan
    short = scan_joint(rows, COUNTS, JUDGED_FROM, PLAN)
    assert short.p_value is None
    assert "48 hours of history" in str(short.reason)
    gone = [np.where(np.arange(N_HOURS) < JUDGED_FROM, row, np.nan) for row in _mixes(61)]
    assert scan_joint(gone, COUNTS, JUDGED_FROM, PLAN).reason == "no judged hour has enough events"


def test_all_known_hours_of_a_sparse_week_are_a_history() -> None:
    start = JUDGED_FROM + 20
    hours = np.arange(N_HOURS)
    is_known = (hours >= start) | (hours >= JUDGED_FROM - 7 * 24) & (hours % 2 == 0)
    rows = [np.where(is_known, row, np.nan) for row in _risen(_mixes(63), 1.5, start)]
    scan = scan_joint(rows, COUNTS, JUDGED_FROM, PLAN)
    assert [alarm.hour - start < 6 for alarm in scan.alarms] == [True]
    assert scan.n_past_changes == 0


def test_constant_readings_are_a_history() -> None:
    flat = [np.full(N_HOURS, usual) for usual in USUAL]
    start = JUDGED_FROM + 20
    assert not scan_joint(flat, COUNTS, JUDGED_FROM, PLAN).alarms
    found = scan_joint(_risen(flat, 1.25, start), COUNTS, JUDGED_FROM, PLAN).alarms
    assert [alarm.hour - start < 24 for alarm in found] == [True]


def test_evidence_agrees_with_its_closed_form() -> None:
    """Of a flat history: the log of ratios of kernel sums, worked out by hand."""
    points = np.zeros((6 * 24, 2))
    points[5 * 24 + 3] = CHANGE
    evidence = JointEvidence(points, np.ones(len(points)), 5 * 24, change=CHANGE, sides=1)
    # Days 0 to 3 are a history of day 5; day 4 is its neighbour.
    near, apart = 96.0, 96.0 * math.exp(-CHANGE / 0.05)
    expected = math.log((near + 1.0) / (apart + 1.0))
    assert evidence.nats(5 * 24 + 3, -1.0)[0] == pytest.approx(expected, rel=1e-5)
    assert evidence.nats(5 * 24 + 4, -1.0)[0] == pytest.approx(-expected, rel=1e-5)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.01, 100.0))
def test_unit_of_the_readings_does_not_matter(seed: int, unit: float) -> None:
    rows = _risen(_mixes(seed), 1.4, JUDGED_FROM + 50)
    scan = scan_joint(rows, COUNTS, JUDGED_FROM, PLAN)
    other = scan_joint([row * unit for row in rows], COUNTS, JUDGED_FROM, PLAN)
    assert scan.alarms == other.alarms
    assert scan.evidence_nats == pytest.approx(other.evidence_nats, rel=1e-2, abs=1e-2)


def test_judged_hours_after_an_hour_do_not_change_its_evidence() -> None:
    rows = _mixes(70)
    late = [np.where(np.arange(N_HOURS) >= N_HOURS - 24, row * 5.0, row) for row in rows]
    evidence = [
        JointEvidence(
            np.log(np.stack(each, axis=1)), np.ones(N_HOURS), JUDGED_FROM, change=CHANGE, sides=2
        )
        for each in (rows, late)
    ]
    for hour in range(JUDGED_FROM, N_HOURS - 24):
        assert evidence[0].nats(hour, -1.0) == evidence[1].nats(hour, -1.0)
