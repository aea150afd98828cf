"""Robust levels, trends and rank shifts of daily series."""

import numpy as np
import pytest
from scipy import stats

from include.freezeline.stats.series import (
    creep,
    day_p_values,
    mann_kendall_p_value,
    rank_shift_test,
    robust_baseline,
    without_largest_move,
    without_week,
)
from include.freezeline.stats.weekdays import week_season

WEEKDAYS = np.arange(28) % 7
WEEKEND = WEEKDAYS >= 5


def test_baseline_ignores_outliers_when_a_few_days_are_wild() -> None:
    values = np.random.default_rng(0).normal(5.0, 0.1, 28)
    values[[3, 11]] = 50.0
    baseline = robust_baseline(values, WEEKDAYS)
    assert baseline is not None
    assert baseline.levels == pytest.approx(np.full(7, 5.0), abs=0.1)
    assert baseline.scale < 0.25


def test_baseline_knows_weekends_when_they_differ() -> None:
    baseline = robust_baseline(np.where(WEEKEND, 1.0, 3.0), WEEKDAYS)
    assert baseline is not None
    assert baseline.season.name == "weekend"
    assert baseline.levels.tolist() == [3.0] * 5 + [1.0] * 2


@pytest.mark.parametrize("weekdays", [WEEKDAYS, (WEEKDAYS + 3) % 7])
def test_baseline_knows_days_of_the_week_when_they_differ(weekdays: np.ndarray) -> None:
    values = np.random.default_rng(2).normal(0.0, 0.05, 28) + 0.4 * np.isin(weekdays, (0, 1))
    baseline = robust_baseline(values, weekdays)
    assert baseline is not None
    assert baseline.season.name == "weekday"
    assert baseline.levels == pytest.approx(np.array([0.4, 0.4, 0, 0, 0, 0, 0]), abs=0.1)
    assert 0.02 <= baseline.scale < 0.1


def test_season_is_none_when_days_are_alike() -> None:
    seasons = [
        week_season(np.random.default_rng(i).normal(0.0, 0.1, 28), WEEKDAYS).name
        for i in range(100)
    ]
    assert seasons.count("none") >= 90


def test_day_is_compared_with_its_own_kind_when_weeks_are_few() -> None:
    """Ten days know one or two Mondays: too few for a season, enough for a doubt."""
    weekdays = np.arange(4, 14) % 7
    values = np.random.default_rng(3).normal(0.0, 0.05, 10) + 0.4 * (weekdays == 0)
    baseline = robust_baseline(values, weekdays)
    assert baseline is not None
    upper, lower = day_p_values(np.array([0.4, 0.4]), np.array([0, 2]), baseline)
    assert upper[0] > 0.3
    assert upper[1] < 0.05
    assert lower[1] > 0.9


def test_day_has_no_p_value_when_no_such_day_was_seen() -> None:
    weekdays = np.arange(20) % 5
    baseline = robust_baseline(np.random.default_rng(4).normal(0.0, 0.05, 20), weekdays)
    assert baseline is not None
    short = robust_baseline(np.random.default_rng(4).normal(0.0, 0.05, 6), np.arange(6) % 5)
    assert short is not None
    assert np.isnan(day_p_values(np.array([0.0]), np.array([6]), short)[0]).all()


def test_baseline_is_none_when_days_are_missing() -> None:
    assert robust_baseline(np.full(28, np.nan), WEEKDAYS) is None


def test_baseline_keeps_a_floor_when_history_is_constant() -> None:
    baseline = robust_baseline(np.full(28, 2.0), WEEKDAYS)
    assert baseline is not None
    assert baseline.scale == 0.02


def test_day_p_values_are_small_when_a_day_is_far_out() -> None:
    baseline = robust_baseline(np.random.default_rng(1).normal(0, 0.05, 28), WEEKDAYS)
    assert baseline is not None
    upper, lower = day_p_values(np.array([0.8, 0.0]), np.array([1, 2]), baseline)
    assert upper[0] < 1e-4
    assert lower[0] > 0.99
    assert 0.2 < upper[1] < 0.8


def test_creep_finds_the_slope_when_series_grows() -> None:
    days = np.arange(28)
    values = np.log(1.015) * days + np.random.default_rng(2).normal(0, 0.02, 28)
    result = creep(values)
    assert result.value == pytest.approx(np.log(1.015) * 27, rel=0.1)
    assert result.interval is not None
    assert result.p_value is not None
    assert result.interval[0] < np.log(1.015) * 27 < result.interval[1]
    assert result.p_value < 1e-6


@pytest.mark.parametrize("week", [(1, 1, 1, 1, 1, 1.4, 1.4), (1.3, 1.3, 1, 1, 1, 1.1, 0.7)])
@pytest.mark.parametrize("first", [0, 3])
def test_creep_is_found_where_days_of_the_week_differ(week: tuple[float, ...], first: int) -> None:
    weekdays = (WEEKDAYS + first) % 7
    noise = np.random.default_rng(2).normal(0.0, 0.03, 28)
    values = np.log(np.array(week))[weekdays] + np.log(1.5) * np.arange(28) / 27 + noise
    result = creep(values, weekdays)
    assert result.value == pytest.approx(np.log(1.5), abs=0.1)
    assert result.p_value is not None
    assert result.p_value < 2e-5
    without = without_week(values, weekdays)
    assert np.polyfit(np.arange(28), without, 1)[0] == pytest.approx(np.log(1.5) / 27, rel=0.2)
    assert np.diff(without).std() < 0.1 < np.diff(values).std()


@pytest.mark.parametrize(
    "week", [(1,) * 7, (1, 1, 1, 1, 1, 1.4, 1.4), (1.3, 1.3, 1, 1, 1, 1.1, 0.7)]
)
def test_creep_keeps_its_level_where_days_of_the_week_differ(week: tuple[float, ...]) -> None:
    season = np.log(np.array(week, dtype=np.float64))[WEEKDAYS]
    p_values = [
        creep(season + np.random.default_rng([9, i]).normal(0.0, 0.05, 28), WEEKDAYS).p_value or 0.0
        for i in range(400)
    ]
    assert 0.02 < np.mean(np.array(p_values) <= 0.05) < 0.08


def test_largest_move_is_taken_out_and_all_others_stay() -> None:
    step = np.where(np.arange(10) >= 4, 2.0, 0.0)
    assert without_largest_move(step, 3).tolist() == [0.0] * 10
    stairs = step + np.where(np.arange(10) >= 8, 1.0, 0.0)
    assert without_largest_move(stairs, 3).tolist() == [0.0] * 8 + [1.0] * 2
    stairs[5] = np.nan
    left = without_largest_move(stairs, 3)
    assert np.isnan(left).tolist() == np.isnan(stairs).tolist()
    assert np.isnan(without_largest_move(np.full(3, np.nan), 3)).all()


def test_creep_agrees_with_kendall_when_series_is_plain() -> None:
    values = np.random.default_rng(9).normal(size=40)
    expected = stats.kendalltau(np.arange(40), values, alternative="greater", method="asymptotic")
    # The normal approximation there has no continuity correction.
    assert mann_kendall_p_value(values) == pytest.approx(expected.pvalue, abs=0.02)


@pytest.mark.parametrize("values", [np.full(28, 1.0), np.full(28, np.nan), np.arange(5.0)])
def test_creep_is_insufficient_when_series_is_constant_or_short(values: np.ndarray) -> None:
    assert creep(values).reason is not None


def test_rank_shift_agrees_with_scipy_when_samples_differ() -> None:
    rng = np.random.default_rng(4)
    reference, current = rng.normal(size=30), rng.normal(1.0, size=20)
    result = rank_shift_test(reference, current)
    assert result.p_value == pytest.approx(stats.mannwhitneyu(current, reference).pvalue)
    assert result.value == pytest.approx(1.0, abs=0.6)


@pytest.mark.parametrize("current", [np.array([]), np.array([np.nan, 1.0]), np.full(9, 1.0)])
def test_rank_shift_is_insufficient_when_there_is_nothing_to_compare(current: np.ndarray) -> None:
    assert rank_shift_test(np.full(10, 1.0), current).reason is not None
