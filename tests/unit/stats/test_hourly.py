"""Hourly scans: seasons, excursion tails, CUSUM, change points and trends of shares."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.tsa.seasonal import MSTL

from include.freezeline.stats.change_points import find_change
from include.freezeline.stats.excursions import excursion_tail
from include.freezeline.stats.hourly import scan_levels, scan_shares, usual_levels
from include.freezeline.stats.hourly_scan import HourlyPlan, HourlyScan
from include.freezeline.stats.level_evidence import novelty
from include.freezeline.stats.seasons import seasonal_profile
from include.freezeline.stats.share_trend import share_trend

DAY, WEEK, MONTH = 24, 168, 720
JUDGED_FROM = 28 * DAY
N_HOURS = 31 * DAY
PLAN = HourlyPlan(min_change_ratio=0.2, is_two_sided=True)
COUNTS = np.full(N_HOURS, 200.0)


def _season(n_hours: int = N_HOURS) -> np.ndarray:
    hours = np.arange(n_hours)
    return 0.4 * np.sin(2 * np.pi * hours / DAY) + 0.3 * (hours // DAY % 7 >= 5)


def _quiet(seed: int, *, scale: float = 0.08, rho: float = 0.0, df: float = 30.0) -> np.ndarray:
    """Return an hourly series with seasons and autocorrelated, perhaps heavy-tailed noise."""
    noise = np.random.default_rng(seed).standard_t(df, N_HOURS)
    for hour in range(1, N_HOURS):
        noise[hour] = rho * noise[hour - 1] + math.sqrt(1 - rho**2) * noise[hour]
    return 500.0 * np.exp(_season() + scale * noise)


def _first(scan: HourlyScan, start: int) -> int | None:
    """Return hours from a start to the first alarm at or after it, its hour included."""
    hours = [alarm.hour - start + 1 for alarm in scan.alarms if alarm.hour >= start]
    return min(hours) if hours else None


# --- seasons -------------------------------------------------------------------------------------


def test_season_agrees_with_mstl_when_there_are_four_weeks() -> None:
    values = np.log(_quiet(1, scale=0.05))
    found = seasonal_profile(values, JUDGED_FROM)
    assert found.season == "weekly"
    fit = MSTL(values[:JUDGED_FROM], periods=(DAY, WEEK), stl_kwargs={"robust": True}).fit()
    expected = fit.seasonal[-WEEK:].sum(axis=1)[: N_HOURS - JUDGED_FROM]
    gaps = np.abs(found.profile[JUDGED_FROM:] - expected)
    assert np.median(gaps) < 0.03
    assert gaps.max() < 0.2
    assert np.std(values - found.profile) < 0.07 < np.std(values)


def test_season_is_none_or_small_when_there_is_none() -> None:
    values = np.random.default_rng(2).normal(0.0, 0.1, N_HOURS)
    found = seasonal_profile(values, JUDGED_FROM)
    assert np.abs(found.profile).max() < 0.1


@given(shift=st.floats(-50.0, 50.0), seed=st.integers(0, 5))
@settings(max_examples=10, deadline=None)
def test_season_does_not_depend_on_the_level(shift: float, seed: int) -> None:
    values = np.log(_quiet(seed))[: 14 * DAY]
    one = seasonal_profile(values, 11 * DAY)
    other = seasonal_profile(values + shift, 11 * DAY)
    assert one.season == other.season
    assert one.profile == pytest.approx(other.profile, abs=1e-9)


def test_season_of_a_day_does_not_look_ahead() -> None:
    values = np.log(_quiet(3))
    changed = values.copy()
    changed[JUDGED_FROM:] += 1.0
    before = seasonal_profile(values, JUDGED_FROM).profile[: JUDGED_FROM + DAY]
    assert seasonal_profile(changed, JUDGED_FROM).profile[: JUDGED_FROM + DAY] == pytest.approx(
        before
    )


@pytest.mark.parametrize("n_days", [1, 4, 8, 22, 24, 26, 29, 35])
def test_season_fits_windows_of_any_length(n_days: int) -> None:
    values = np.log(_quiet(11, scale=0.05))
    values = np.concatenate([values, values])[: n_days * DAY]
    found = seasonal_profile(values, (n_days - 1) * DAY)
    assert len(found.profile) == len(values)
    assert np.isfinite(found.profile).all()


def test_season_refuses_parts_of_days() -> None:
    with pytest.raises(ValueError, match="whole days"):
        seasonal_profile(np.zeros(25), 24)


# --- excursions ----------------------------------------------------------------------------------


@given(
    heights=st.lists(st.floats(0.01, 200.0), max_size=80),
    rate=st.floats(1e-6, 0.01),
)
@settings(max_examples=100, deadline=None)
def test_threshold_is_the_inverse_of_the_rate(heights: list[float], rate: float) -> None:
    tail = excursion_tail(heights, 672)
    height = tail.height_of(rate)
    assert height >= -math.log(rate) - 1e-9
    assert tail.rate_above(height) <= rate * (1 + 1e-6)
    assert tail.rate_above(height + 1.0) <= tail.rate_above(height)


def test_tail_agrees_with_the_exponential_when_there_are_many() -> None:
    heights = np.random.default_rng(4).exponential(2.0, 4000)
    tail = excursion_tail(list(heights), 8000)
    assert tail.rate_above(15.0) == pytest.approx(0.5 * math.exp(-7.5), rel=0.6)


def test_higher_excursions_raise_the_threshold() -> None:
    low, high = excursion_tail([1.0, 2.0, 1.5], 672), excursion_tail([10.0, 20.0, 15.0], 672)
    assert high.height_of(1 / 1440) > low.height_of(1 / 1440)


# --- scans ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scale", "rho", "df"),
    [(0.05, 0.0, 30.0), (0.2, 0.0, 3.0), (0.15, 0.8, 30.0), (0.3, 0.6, 4.0)],
    ids=["calm", "heavy tails", "autocorrelated", "both"],
)
def test_quiet_series_alarm_at_most_at_the_stated_rate(scale: float, rho: float, df: float) -> None:
    n_alarms = n_scans = 0
    for seed in range(40):
        scan = scan_levels(_quiet(seed, scale=scale, rho=rho, df=df), COUNTS, JUDGED_FROM, PLAN)
        n_scans += scan.reason is None
        n_alarms += len(scan.alarms)
    assert n_scans >= 30
    expected = n_scans * (N_HOURS - JUDGED_FROM) / MONTH
    assert n_alarms <= stats.poisson.ppf(0.999, expected)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("factor", "within"), [(1.5, 6), (1.25, 24), (1 / 1.5, 6)])
def test_shift_is_found_in_time(seed: int, factor: float, within: int) -> None:
    values, start = _quiet(seed, scale=0.05), JUDGED_FROM + 13
    values[start:] *= factor
    scan = scan_levels(values, COUNTS, JUDGED_FROM, PLAN)
    delay = _first(scan, start)
    assert delay is not None
    assert delay <= within
    assert scan.side == ("upper" if factor > 1 else "lower")
    assert abs(scan.alarms[0].began - start) <= 2


def test_p_value_is_rarely_small_when_nothing_changed() -> None:
    p_values = [
        scan_levels(_quiet(seed, scale=0.15, rho=0.5), COUNTS, JUDGED_FROM, PLAN).p_value
        for seed in range(100, 160)
    ]
    known = [p for p in p_values if p is not None]
    assert len(known) >= 55
    assert min(known) > 0.0
    assert sum(p <= 0.05 for p in known) <= stats.binom.ppf(0.999, len(known), 0.05)


def test_scan_does_not_depend_on_the_unit() -> None:
    values = _quiet(7)
    values[-40:] *= 1.4
    one = scan_levels(values, COUNTS, JUDGED_FROM, PLAN)
    other = scan_levels(values * 1000.0, COUNTS, JUDGED_FROM, PLAN)
    assert one.alarms == other.alarms
    assert one.usual * 1000.0 == pytest.approx(other.usual, nan_ok=True)


def test_hours_of_few_events_weigh_less() -> None:
    values, start = _quiet(8, scale=0.05), JUDGED_FROM + 12
    values[start:] *= 1.5
    few = COUNTS.copy()
    few[start:] = 5.0
    many = _first(scan_levels(values, COUNTS, JUDGED_FROM, PLAN), start)
    fewer = _first(scan_levels(values, few, JUDGED_FROM, PLAN), start)
    assert many is not None
    assert fewer is None or fewer > many


def test_missing_hours_stay_missing() -> None:
    values = _quiet(9)
    values[::5] = np.nan
    scan = scan_levels(values, COUNTS, JUDGED_FROM, PLAN)
    assert scan.reason is None
    assert np.isnan(scan.residuals[::5]).all()


def test_recurring_burst_is_no_news_but_a_new_level_is() -> None:
    values = _quiet(10, scale=0.03)
    for day in range(2, 31, 3):
        values[day * DAY + 9 : day * DAY + 15] *= 2.0
    assert scan_levels(values, COUNTS, JUDGED_FROM, PLAN).alarms == ()
    values[JUDGED_FROM + 20 :] *= 1.4
    assert scan_levels(values, COUNTS, JUDGED_FROM, PLAN).alarms


def test_usual_levels_are_those_of_the_scan() -> None:
    values = _quiet(3)
    scan = scan_levels(values, COUNTS, JUDGED_FROM, PLAN)
    told = usual_levels(values, COUNTS, JUDGED_FROM, PLAN)
    assert told is not None
    np.testing.assert_array_equal(told[0], scan.residuals)
    np.testing.assert_array_equal(told[1], scan.usual)


def test_usual_levels_are_told_of_what_changed_often_or_never_and_not_without_a_history() -> None:
    steps = _quiet(0) * np.exp(np.arange(N_HOURS) // 100 % 2)
    assert "changed" in (scan_levels(steps, COUNTS, JUDGED_FROM, PLAN).reason or "")
    assert usual_levels(steps, COUNTS, JUDGED_FROM, PLAN) is not None
    assert usual_levels(np.full(N_HOURS, 5.0), COUNTS, JUDGED_FROM, PLAN) is not None
    hours = np.arange(N_HOURS)
    young = np.where(hours < JUDGED_FROM - 2 * DAY, np.nan, steps)
    assert usual_levels(young, COUNTS, JUDGED_FROM, PLAN) is None
    unseen = np.where(hours < JUDGED_FROM, steps, np.nan)
    assert usual_levels(unseen, COUNTS, JUDGED_FROM, PLAN) is None


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.full(N_HOURS, 7.0), "constant"),
        (np.full(N_HOURS, np.nan), "history"),
        (np.where(np.arange(N_HOURS) < JUDGED_FROM, _quiet(0), np.nan), "judged hour"),
        (np.where(np.arange(N_HOURS) > JUDGED_FROM - 50, _quiet(0), np.nan), "history"),
        (_quiet(0) * np.exp(np.arange(N_HOURS) // 100 % 2), "changed"),
    ],
)
def test_scan_says_why_there_is_no_answer(values: np.ndarray, reason: str) -> None:
    plan = HourlyPlan(min_change_ratio=0.2, is_two_sided=True, max_past_changes=0)
    scan = scan_levels(values, COUNTS, JUDGED_FROM, plan)
    assert scan.p_value is None
    assert reason in (scan.reason or "")


# --- shares --------------------------------------------------------------------------------------

SHARE_PLAN = HourlyPlan(min_change_ratio=0.5, min_difference=0.01)


@pytest.mark.parametrize("ratio", [0.0, 0.002, 0.05])
def test_quiet_shares_alarm_at_most_at_the_stated_rate(ratio: float) -> None:
    n_alarms = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        shares = rng.beta(20.0, 20.0 / ratio - 20.0, N_HOURS) if ratio else np.zeros(N_HOURS)
        bad = rng.binomial(100, shares).astype(np.float64)
        scan = scan_shares(bad, np.full(N_HOURS, 100.0), JUDGED_FROM, SHARE_PLAN)
        n_alarms += len(scan.alarms)
    assert n_alarms <= stats.poisson.ppf(0.999, 60 * (N_HOURS - JUDGED_FROM) / MONTH)


@pytest.mark.parametrize(("before", "after"), [(0.0, 0.05), (0.002, 0.05), (0.05, 0.2)])
def test_risen_share_is_found_within_a_day(before: float, after: float) -> None:
    start = JUDGED_FROM + 10
    ratio = np.where(np.arange(N_HOURS) < start, before, after)
    bad = np.random.default_rng(6).binomial(100, ratio).astype(np.float64)
    delay = _first(scan_shares(bad, np.full(N_HOURS, 100.0), JUDGED_FROM, SHARE_PLAN), start)
    assert delay is not None
    assert delay <= DAY


@pytest.mark.parametrize("first_weekday", range(7))
def test_share_with_a_weekly_season_is_judged_by_it(first_weekday: int) -> None:
    """Weekends of four times the share are usual; twice the usual share is not."""
    weekend = (first_weekday + np.arange(N_HOURS) // DAY) % 7 >= 5
    usual = np.where(weekend, 0.2, 0.05)
    rng, size = np.random.default_rng(first_weekday), np.full(N_HOURS, 100.0)
    quiet = rng.binomial(100, usual).astype(np.float64)
    scan = scan_shares(quiet, size, JUDGED_FROM, SHARE_PLAN, first_weekday)
    assert (scan.reason, scan.season, scan.alarms) == (None, "weekly", ())
    start = JUDGED_FROM + 10
    risen = np.where(np.arange(N_HOURS) < start, quiet, rng.binomial(100, 2.0 * usual))
    delay = _first(scan_shares(risen, size, JUDGED_FROM, SHARE_PLAN, first_weekday), start)
    assert delay is not None
    assert delay <= DAY


def test_share_trend_agrees_with_statsmodels() -> None:
    days = np.arange(28)
    size = np.full(28, 500.0)
    bad = np.random.default_rng(5).binomial(500, 0.01 * 1.06**days).astype(np.float64)
    found = share_trend(bad, size, np.zeros(28, dtype=np.bool_))
    design = sm.add_constant(days / 27.0)
    fit = sm.GLM(np.column_stack([bad, size - bad]), design, family=sm.families.Binomial()).fit()
    assert found.value == pytest.approx(math.exp(fit.params[1]))
    assert found.p_value is not None
    assert found.p_value < 1e-4
    assert found.interval is not None
    assert found.interval[0] < 1.06**27 < found.interval[1]


def test_share_trend_keeps_its_level_when_days_vary_more_than_a_binomial() -> None:
    weekend = np.arange(28) % 7 >= 5
    n_rejected = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        bad = rng.binomial(500, rng.beta(10.0, 490.0, 28)).astype(np.float64)
        p_value = share_trend(bad, np.full(28, 500.0), weekend).p_value
        assert p_value is not None
        n_rejected += p_value <= 0.05
    low, high = stats.binom.interval(0.999, 300, 0.05)
    assert low <= n_rejected <= high


@pytest.mark.parametrize("bad", [np.zeros(28), np.full(28, 100.0), np.zeros(5)])
def test_share_trend_is_insufficient_without_events_or_days(bad: np.ndarray) -> None:
    size = np.full(len(bad), 100.0)
    assert share_trend(bad, size, np.zeros(len(bad), dtype=np.bool_)).reason is not None


# --- change points -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["step", "ramp"])
def test_change_point_intervals_cover(kind: str) -> None:
    n, truth, n_sims, point, effect = 60, 35, 200, 0, 0
    shape = np.arange(n) >= truth if kind == "step" else np.maximum(0, np.arange(n) - truth) / 24
    for seed in range(n_sims):
        values = 2.0 * shape + np.random.default_rng(seed).normal(0.0, 0.6, n)
        found = find_change(values, kind)  # type: ignore[arg-type]
        assert found is not None
        point += found.interval[0] <= truth <= found.interval[1]
        effect += found.effect_interval[0] <= 2.0 <= found.effect_interval[1]
    assert point >= stats.binom.ppf(0.001, n_sims, 0.93)
    assert effect >= stats.binom.ppf(0.001, n_sims, 0.90)


def test_step_agrees_with_the_difference_of_means() -> None:
    values = np.concatenate([np.full(20, 1.0), np.full(10, 4.0)])
    values += np.random.default_rng(1).normal(0.0, 0.01, 30)
    found = find_change(values, "step")
    assert found is not None
    assert (found.index, found.interval) == (20, (20, 20))
    assert found.effect == pytest.approx(values[20:].mean() - values[:20].mean())


@pytest.mark.parametrize("values", [np.full(30, 2.0), np.arange(5.0), np.full(30, np.nan)])
def test_change_point_is_none_when_there_is_nothing_to_see(values: np.ndarray) -> None:
    assert find_change(values, "step") is None


def test_novelty_leaves_out_the_day_itself() -> None:
    residuals = np.zeros(10 * DAY)
    residuals[5 * DAY : 6 * DAY] = 1.0
    is_new = novelty(residuals, 9 * DAY, 0.1)
    assert is_new[5 * DAY : 6 * DAY].all()
    assert not is_new[: 5 * DAY].any()


@pytest.mark.parametrize(
    ("first", "n_days"), [(0, 1), (30, 1), (26, 5), (0, 5), (29, 2), (0, 31)]
)  # fmt: skip
@pytest.mark.filterwarnings("error")
def test_share_trend_of_a_burst_is_finite_or_not_told(first: int, n_days: int) -> None:
    bad = np.zeros(31)
    bad[first : first + n_days] = 5.0
    found = share_trend(bad, np.full(31, 2400.0), np.arange(31) % 7 >= 5)
    if n_days < 5:
        assert found.value is None
        assert f"events of {n_days} days" in (found.reason or "")
        return
    assert found.value is not None
    assert found.interval is not None
    assert all(np.isfinite([found.value, *found.interval]))
    assert 0.0 < found.interval[0] <= found.value <= found.interval[1]


def test_share_trend_of_calls_that_all_fail_at_the_end_is_finite() -> None:
    size = np.full(31, 100.0)
    found = share_trend(np.where(np.arange(31) >= 20, size, 0.0), size, np.zeros(31, dtype=bool))
    assert found.value is None or np.isfinite(found.value)
