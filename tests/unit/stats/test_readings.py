"""A level judged by its mean and by all its readings together."""

import numpy as np
import pytest

from include.freezeline.stats.hourly import scan_levels
from include.freezeline.stats.hourly_scan import HourlyPlan
from include.freezeline.stats.joint import scan_joint
from include.freezeline.stats.readings import scan_readings, steadiest

N_HOURS, JUDGED_FROM = 35 * 24, 28 * 24
COUNTS = np.full(N_HOURS, 200.0)
PLAN = HourlyPlan(min_change_ratio=0.2, is_two_sided=True)


def _level(seed: int, scale: float, usual: float = 500.0) -> np.ndarray:
    """Return hours that hang together in sixes."""
    blocks = np.repeat(np.random.default_rng(seed).normal(0.0, scale, N_HOURS // 6), 6)
    return np.asarray(usual * np.exp(blocks))


def _risen(values: np.ndarray, factor: float, hour: int) -> np.ndarray:
    return np.where(np.arange(N_HOURS) >= hour, values * factor, values)


def test_without_quantiles_the_scan_is_that_of_the_mean() -> None:
    mean = _level(1, 0.1)
    scan, place = scan_readings(mean, (), COUNTS, JUDGED_FROM, PLAN)
    alone = scan_levels(mean, COUNTS, JUDGED_FROM, PLAN)
    assert place is None
    assert (scan.p_value, scan.alarms) == (alone.p_value, alone.alarms)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_steadiest_is_the_one_that_was_off_least_wherever_it_stands(order: tuple[int, ...]) -> None:
    levels = [_level(2, 0.3), _level(3, 0.02), _level(4, 0.1)]
    given = [levels[i] for i in order]
    assert steadiest(levels[0], given, JUDGED_FROM, PLAN) == order.index(1)


def test_choice_does_not_look_at_the_judged_hours() -> None:
    calm, wild = _level(5, 0.02), _level(6, 0.2)
    before = steadiest(calm, [wild, calm], JUDGED_FROM, PLAN)
    after = steadiest(calm, [wild, _risen(calm, 9.0, JUDGED_FROM)], JUDGED_FROM, PLAN)
    assert before == after == 1


def test_quantile_with_too_few_hours_is_not_asked() -> None:
    mean, sparse = _level(7, 0.2), _level(8, 0.01)
    sparse[: JUDGED_FROM // 2] = np.nan
    assert steadiest(mean, [sparse], JUDGED_FROM, PLAN) is None
    zeros = np.zeros(N_HOURS)
    assert steadiest(mean, [zeros], JUDGED_FROM, PLAN) is None


def test_constant_quantile_is_a_history_and_a_constant_series_is_not() -> None:
    start = JUDGED_FROM + 30
    flat = np.full(N_HOURS, 12.0)
    scan, place = scan_readings(_risen(_level(9, 0.4), 1.5, start), [_risen(flat, 1.5, start)], COUNTS, JUDGED_FROM, PLAN)  # fmt: skip
    assert place == 0
    assert [alarm.hour - start < 6 for alarm in scan.alarms] == [True]
    quiet, _ = scan_readings(flat, [flat], COUNTS, JUDGED_FROM, PLAN)
    assert quiet.p_value is None
    assert quiet.reason == "the series is constant"


def test_quantile_answers_where_the_mean_cannot() -> None:
    mean = _level(10, 0.02)
    mean[: JUDGED_FROM - 48] = np.nan
    assert scan_levels(mean, COUNTS, JUDGED_FROM, PLAN).p_value is None
    scan, place = scan_readings(mean, [_level(11, 0.02)], COUNTS, JUDGED_FROM, PLAN)
    assert place == 0
    assert scan.reason is None
    assert not scan.alarms


def test_both_readings_together_keep_the_stated_rate_of_false_alarms() -> None:
    n_alarms = 0
    for seed in range(60):
        mean, low = _level(100 + seed, 0.1), _level(200 + seed, 0.05)
        n_alarms += len(scan_readings(mean, [low], COUNTS, JUDGED_FROM, PLAN)[0].alarms)
    # 60 series of 7 days are 14 months: 14 expected at most, 24 is beyond chance.
    assert n_alarms <= 24


def test_p_value_is_doubled_for_two_scans() -> None:
    mean, low = _level(12, 0.1), _level(13, 0.05)
    scan, place = scan_readings(mean, [low], COUNTS, JUDGED_FROM, PLAN)
    if place is None:
        alone = scan_levels(mean, COUNTS, JUDGED_FROM, PLAN)
    else:
        alone = scan_joint([mean, low], COUNTS, JUDGED_FROM, PLAN)
    assert alone.p_value is not None
    assert scan.p_value == pytest.approx(min(1.0, 2.0 * alone.p_value))


def test_change_of_large_requests_alone_is_found_in_the_mean() -> None:
    start = JUDGED_FROM + 50
    low = [_level(20 + i, 0.02, usual=80.0 + i) for i in range(4)]
    scan, place = scan_readings(
        _risen(_level(19, 0.02), 1.6, start), low, COUNTS, JUDGED_FROM, PLAN
    )
    assert place is None
    assert [alarm.hour - start < 12 for alarm in scan.alarms] == [True]


def test_alarm_of_all_readings_shows_though_the_mean_alarmed_before() -> None:
    second = JUDGED_FROM + 100
    mean = _risen(_level(14, 0.02), 0.4, JUDGED_FROM + 20)
    low = [_level(15 + i, 0.02, usual=80.0) for i in range(4)]
    scan, place = scan_readings(
        _risen(mean, 1.5, second),
        [_risen(row, 1.5, second) for row in low],
        COUNTS,
        JUDGED_FROM,
        PLAN,
    )
    assert place is not None
    assert [(alarm.hour - JUDGED_FROM) // 10 for alarm in scan.alarms] == [2, 10]
    assert [alarm.is_rise for alarm in scan.alarms] == [False, True]


def test_size_is_told_of_the_steadiest_quantile() -> None:
    start = N_HOURS - 20
    mix = _level(40, 0.1)
    rows = [
        _risen(mix * noise / 500.0, 1.5, start)
        for noise in (_level(41 + i, 0.01) for i in range(3))
    ]
    calm = _risen(_level(50, 0.01, usual=80.0), 1.5, start)
    scan, place = scan_readings(rows[0], [*rows[1:], calm], COUNTS, JUDGED_FROM, PLAN)
    assert place == 2
    assert np.nanmedian(scan.residuals[start:]) == pytest.approx(np.log(1.5), abs=0.05)
    assert np.nanmedian(scan.usual[start:]) == pytest.approx(80.0, rel=0.05)


def test_reading_that_is_mostly_missing_is_left_out() -> None:
    start = JUDGED_FROM + 30
    mean, low, sparse = _level(60, 0.2), _level(61, 0.01, usual=80.0), _level(62, 0.01)
    sparse[: JUDGED_FROM // 2] = np.nan
    rows = [_risen(row, 1.5, start) for row in (mean, low, sparse)]
    with_it = scan_readings(rows[0], rows[1:], COUNTS, JUDGED_FROM, PLAN)
    without = scan_readings(rows[0], rows[1:2], COUNTS, JUDGED_FROM, PLAN)
    assert with_it[0].alarms == without[0].alarms
    assert with_it[1] == without[1] == 0
