"""Levels and trends of daily series that survive outliers.

Sources: Rousseeuw & Croux 1993 (median absolute deviation); Theil 1950 and Sen 1968 (slope);
Mann 1945, Kendall 1975, Hirsch, Slack & Smith 1982 and Hamed & Rao 1998 (trend test with seasons and
autocorrelation); Mann & Whitney 1947 (rank shift).
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from include.freezeline.stats.result import FloatArray, IntArray, StatResult, insufficient
from include.freezeline.stats.robust import MAD_EFFICIENCY, MAD_TO_SD, MEDIAN_VARIANCE
from include.freezeline.stats.weekdays import DAYS_A_WEEK, WeekSeason, left_out_gaps, week_season

CREEP_METHOD = "theil_sen_mann_kendall"
CREEP_VERSION = "3"
RANK_METHOD = "mann_whitney"
_MIN_DF = 3.0
# A day of the week this far off (robust standard deviations) may have a season of its own.
_ODD_SCALES = 2.0


@dataclass(frozen=True, slots=True)
class Baseline:
    """Robust levels of a series, by day of the week.

    Attributes:
        levels: What each day of the week is compared with, Monday first; NaN where no day before
            says what is usual.
        n_level_days: Days that each of them rests on.
        own_levels: The same of the same day of the week only, where too few weeks are known to
            call it a season and it was unlike the other days; else NaN.
        n_own_days: Days that each of those rests on.
        season: Which days are alike, see ``stats/weekdays.py``.
        scale: Robust standard deviation of one day around its level.
        df: Degrees of freedom of the scale.
        n_days: Days the baseline rests on.
    """

    levels: FloatArray
    n_level_days: IntArray
    own_levels: FloatArray
    n_own_days: IntArray
    season: WeekSeason
    scale: float
    df: float
    n_days: int


def robust_baseline(
    values: FloatArray, weekdays: IntArray, min_scale: float = 0.02
) -> Baseline | None:
    """Return the robust levels of daily values (usually logarithms), None when there are too few.

    Args:
        values: One value per day; NaN days are left out.
        weekdays: Day of the week of each, Monday is 0.
        min_scale: Floor of the scale; a flat history must not make every wiggle an anomaly.
    """
    known = np.isfinite(values)
    values, weekdays = values[known], weekdays[known]
    if len(values) < 2:
        return None
    season = week_season(values, weekdays)
    groups = season.of(weekdays)
    levels, n_level_days = _levels(values, groups, np.asarray(season.groups))
    own_levels, n_own_days = _levels(values, weekdays, np.arange(DAYS_A_WEEK))
    # A day of the week that was never seen is not judged: it may always have been otherwise.
    levels = np.where(n_own_days > 0, levels, np.nan)
    gaps = left_out_gaps(values, groups) / np.sqrt(
        1.0 + MEDIAN_VARIANCE / np.maximum(n_level_days[weekdays] - 1, 1)
    )
    gaps = np.abs(gaps[np.isfinite(gaps)])
    scale = max(MAD_TO_SD * float(np.median(gaps)) if len(gaps) else 0.0, min_scale)
    df = max(_MIN_DF, MAD_EFFICIENCY * (len(values) - len(np.unique(groups))))
    is_odd = np.abs(own_levels - levels) > _ODD_SCALES * scale
    own_levels = np.where(is_odd & season.is_own_day_asked, own_levels, np.nan)
    return Baseline(levels, n_level_days, own_levels, n_own_days, season, scale, df, len(values))


def _levels(values: FloatArray, groups: IntArray, wanted: IntArray) -> tuple[FloatArray, IntArray]:
    """Return the median and the size of each wanted group; NaN where it is empty."""
    members = [values[groups == group] for group in wanted]
    levels = np.array([np.median(m) if len(m) else np.nan for m in members])
    return levels, np.array([len(m) for m in members], dtype=np.int64)


def day_p_values(
    values: FloatArray, weekdays: IntArray, baseline: Baseline
) -> tuple[FloatArray, FloatArray]:
    """Return each day's upper and lower one-sided predictive p-value; NaN where nothing is usual.

    Null hypothesis: the day comes from the baseline's distribution (normal, robust scale). Where
    days of the week could not be told apart, from that of its own day of the week or of all days,
    whichever is nearer.
    """
    upper, lower = _tails(values, baseline.levels[weekdays], baseline.n_level_days[weekdays], baseline)  # fmt: skip
    own_upper, own_lower = _tails(
        values, baseline.own_levels[weekdays], baseline.n_own_days[weekdays], baseline
    )
    is_asked = np.isfinite(own_upper) & np.isfinite(upper)
    return (
        np.where(is_asked, np.fmax(upper, own_upper), upper),
        np.where(is_asked, np.fmax(lower, own_lower), lower),
    )


def _tails(
    values: FloatArray, levels: FloatArray, n_days: IntArray, baseline: Baseline
) -> tuple[FloatArray, FloatArray]:
    """Return predictive p-values; a median of few days is itself uncertain."""
    spread = baseline.scale * np.sqrt(1.0 + MEDIAN_VARIANCE / np.maximum(n_days, 1))
    t_values = (values - levels) / spread
    floor = np.finfo(float).tiny
    upper = np.maximum(stats.t.sf(t_values, baseline.df), floor)
    lower = np.maximum(stats.t.cdf(t_values, baseline.df), floor)
    return np.asarray(upper), np.asarray(lower)


def creep(
    values: FloatArray, weekdays: IntArray | None = None, *, min_days: int = 14
) -> StatResult:
    """Estimate a slow upward trend; the value is the change over the whole series.

    Null hypothesis: the order of the days is random, apart from the days of the week (and up to
    short autocorrelation).

    Args:
        values: One value per day in time order (usually logarithms); NaN days are left out.
        weekdays: Day of the week of each, Monday is 0; where days of the week differ, that is taken
            out first.
        min_days: Fewer days are insufficient evidence.
    """
    is_known = np.isfinite(values)
    days, known = np.flatnonzero(is_known).astype(np.float64), values[is_known]
    if len(known) < min_days:
        reason = f"{len(known)} days, at least {min_days} are needed"
        return insufficient(CREEP_METHOD, reason, 0, len(known))
    if np.ptp(known) == 0.0:
        return insufficient(CREEP_METHOD, "the series is constant", 0, len(known))
    groups, season = np.zeros(len(known), dtype=np.int64), "none"
    if weekdays is not None:
        known, groups, season = _without_week(days, known, weekdays[is_known])
    slope = stats.theilslopes(known, days, alpha=0.95)
    span = float(days[-1] - days[0])
    return StatResult(
        value=float(slope.slope) * span,
        interval=(float(slope.low_slope) * span, float(slope.high_slope) * span),
        p_value=mann_kendall_p_value(known, float(slope.slope), groups),
        n_reference=0,
        n_current=len(known),
        method=CREEP_METHOD,
        method_version=CREEP_VERSION,
        details={"slope_per_day": float(slope.slope), "season": season},
    )


def without_week(values: FloatArray, weekdays: IntArray) -> FloatArray:
    """Return daily values without what days of the week differ by; NaN days stay NaN.

    Args:
        values: One value per day in time order (usually logarithms).
        weekdays: Day of the week of each, Monday is 0.
    """
    days, left = np.flatnonzero(np.isfinite(values)), values.copy()
    if len(days) > 1:
        left[days] = _without_week(days.astype(np.float64), values[days], weekdays[days])[0]
    return left


def without_largest_move(values: FloatArray, n_days: int) -> FloatArray:
    """Return daily values without the largest change that they make within some days.

    What is left of a single step, up or down, is flat; of a staircase all other steps are left.

    Args:
        values: One value per day in time order; NaN days stay NaN.
        n_days: Days that the change takes at most.
    """
    days, left = np.flatnonzero(np.isfinite(values)), values.copy()
    moves = [
        (abs(values[later] - values[day]), int(day), int(later))
        for day in days
        for later in days[(days > day) & (days <= day + n_days)]
    ]
    if moves:
        _, first, last = max(moves, key=lambda move: (move[0], -move[1], -move[2]))
        left[first:last] = np.where(np.isfinite(values[first:last]), values[first], np.nan)
        left[last:] -= values[last] - values[first]
    return left


def _without_week(
    days: FloatArray, values: FloatArray, weekdays: IntArray
) -> tuple[FloatArray, IntArray, str]:
    """Return the values without what days of the week differ by, which days are alike, and the season.

    The season is that of the days around their trend, and the trend that of the days without their
    season: a second round is enough for both.
    """
    found, week = values, week_season(values, weekdays)
    for _ in range(2):
        around = values - float(stats.theilslopes(found, days).slope) * days
        week = week_season(around, weekdays)
        levels = _levels(around, week.of(weekdays), np.asarray(week.groups))[0]
        found = values if week.name == "none" else values - levels[weekdays]
    return found, week.of(weekdays), week.name


def mann_kendall_p_value(
    values: FloatArray, slope: float = 0.0, groups: IntArray | None = None
) -> float:
    """Return the one-sided p-value of an upward trend.

    Args:
        values: In time order.
        slope: Trend to remove before estimating autocorrelation.
        groups: Only values of a group are compared (Hirsch, Slack & Smith 1982); all by default.
    """
    n = len(values)
    groups = np.zeros(n, dtype=np.int64) if groups is None else groups
    parts = [_kendall_score(values[groups == group]) for group in np.unique(groups)]
    s, variance = (sum(column) for column in zip(*parts, strict=True))
    variance *= _autocorrelation_inflation(values - slope * np.arange(n))
    if variance <= 0.0:
        return 1.0
    z = (s - math.copysign(1.0, s)) / math.sqrt(variance) if s != 0 else 0.0
    return float(max(stats.norm.sf(z), np.finfo(float).tiny))


def _kendall_score(values: FloatArray) -> tuple[float, float]:
    """Return how many more pairs of values rise than fall, and the variance of that by chance."""
    n = len(values)
    s = float(np.triu(np.sign(values[None, :] - values[:, None]), 1).sum())
    ties = np.unique(values, return_counts=True)[1]
    tied = float((ties * (ties - 1) * (2 * ties + 5)).sum())
    return s, (n * (n - 1) * (2 * n + 5) - tied) / 18


def _autocorrelation_inflation(detrended: FloatArray) -> float:
    """Return Hamed & Rao's factor on the variance; at least 1, so it only protects."""
    n = len(detrended)
    ranks = stats.rankdata(detrended)
    centred = ranks - ranks.mean()
    total = float((centred**2).sum())
    if total == 0.0:
        return 1.0
    limit = 1.96 / math.sqrt(n)
    factor = 1.0
    for lag in range(1, min(4, n - 3)):
        rho = float((centred[lag:] * centred[:-lag]).sum()) / total
        if abs(rho) > limit:
            weight = (n - lag) * (n - lag - 1) * (n - lag - 2)
            factor += 2.0 / (n * (n - 1) * (n - 2)) * weight * rho
    return max(1.0, factor)


def rank_shift_test(reference: FloatArray, current: FloatArray) -> StatResult:
    """Test a shift of level by ranks; the value is the Hodges-Lehmann shift.

    Null hypothesis: both samples come from one distribution.
    """
    reference, current = reference[np.isfinite(reference)], current[np.isfinite(current)]
    sizes = (len(reference), len(current))
    if min(sizes) < 2:
        return insufficient(RANK_METHOD, "fewer than two values in a window", *sizes)
    if np.ptp(np.concatenate([reference, current])) == 0.0:
        return insufficient(RANK_METHOD, "all values are equal", *sizes)
    p_value = float(stats.mannwhitneyu(current, reference, alternative="two-sided").pvalue)
    differences = np.subtract.outer(current, reference).ravel()
    return StatResult(
        value=float(np.median(differences)),
        interval=None,
        p_value=max(p_value, float(np.finfo(float).tiny)),
        n_reference=sizes[0],
        n_current=sizes[1],
        method=RANK_METHOD,
    )
