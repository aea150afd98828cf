"""Levels and trends of daily series that survive outliers.

Sources: Rousseeuw & Croux 1993 (median absolute deviation); Theil 1950 and Sen 1968 (slope);
Mann 1945, Kendall 1975 and Hamed & Rao 1998 (trend test with autocorrelation); Mann & Whitney
1947 (rank shift).
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from include.freezeline.stats.result import BoolArray, FloatArray, StatResult, insufficient

CREEP_METHOD = "theil_sen_mann_kendall"
RANK_METHOD = "mann_whitney"
# The MAD of normal data has 37% of the information of the standard deviation, so a t
# distribution on its scale has about 0.37 (n - 1) degrees of freedom.
_MAD_EFFICIENCY = 0.37
_MAD_TO_SD = 1.4826
_MIN_DF = 3.0


@dataclass(frozen=True, slots=True)
class Baseline:
    """Robust level of a series.

    Attributes:
        weekday_level: Median of Monday to Friday.
        weekend_level: Median of Saturday and Sunday.
        scale: Robust standard deviation of one day around its level.
        df: Degrees of freedom of the scale.
        n_days: Days the baseline rests on.
    """

    weekday_level: float
    weekend_level: float
    scale: float
    df: float
    n_days: int


def robust_baseline(
    values: FloatArray, is_weekend: BoolArray, min_scale: float = 0.02, min_weekend_days: int = 4
) -> Baseline | None:
    """Return the robust level of daily values (usually logarithms), None when there are too few.

    Args:
        values: One value per day; NaN days are left out.
        is_weekend: Whether the day is a Saturday or Sunday.
        min_scale: Floor of the scale; a flat history must not make every wiggle an anomaly.
        min_weekend_days: Fewer weekend days (or weekdays) share one level.
    """
    known = np.isfinite(values)
    values, weekend = values[known], is_weekend[known]
    if len(values) < 2:
        return None
    levels = [float(np.median(values))] * 2
    if min(int(weekend.sum()), int((~weekend).sum())) >= min_weekend_days:
        levels = [float(np.median(values[~weekend])), float(np.median(values[weekend]))]
    deviations = np.abs(values - np.where(weekend, levels[1], levels[0]))
    # Dividing by the days left after fitting the levels undoes the shrinking of residuals.
    correction = math.sqrt(len(values) / max(1.0, len(values) - 2.0))
    scale = max(_MAD_TO_SD * float(np.median(deviations)) * correction, min_scale)
    df = max(_MIN_DF, _MAD_EFFICIENCY * (len(values) - 1))
    return Baseline(levels[0], levels[1], scale, df, len(values))


def day_p_values(
    values: FloatArray, is_weekend: BoolArray, baseline: Baseline
) -> tuple[FloatArray, FloatArray]:
    """Return each day's upper and lower one-sided predictive p-value.

    Null hypothesis: the day comes from the baseline's distribution (normal, robust scale).
    """
    levels = np.where(is_weekend, baseline.weekend_level, baseline.weekday_level)
    # Error of the level itself: a median over roughly n days.
    spread = baseline.scale * math.sqrt(1.0 + 1.57 / baseline.n_days)
    t_values = (values - levels) / spread
    floor = np.finfo(float).tiny
    upper = np.maximum(stats.t.sf(t_values, baseline.df), floor)
    lower = np.maximum(stats.t.cdf(t_values, baseline.df), floor)
    return np.asarray(upper), np.asarray(lower)


def creep(values: FloatArray, *, min_days: int = 14) -> StatResult:
    """Estimate a slow upward trend; the value is the change over the whole series.

    Null hypothesis: the order of the days is random (up to short autocorrelation).

    Args:
        values: One value per day in time order (usually logarithms); NaN days are left out.
        min_days: Fewer days are insufficient evidence.
    """
    days = np.flatnonzero(np.isfinite(values)).astype(np.float64)
    known = values[np.isfinite(values)]
    if len(known) < min_days:
        reason = f"{len(known)} days, at least {min_days} are needed"
        return insufficient(CREEP_METHOD, reason, 0, len(known))
    if np.ptp(known) == 0.0:
        return insufficient(CREEP_METHOD, "the series is constant", 0, len(known))
    slope = stats.theilslopes(known, days, alpha=0.95)
    span = float(days[-1] - days[0])
    return StatResult(
        value=float(slope.slope) * span,
        interval=(float(slope.low_slope) * span, float(slope.high_slope) * span),
        p_value=mann_kendall_p_value(known, float(slope.slope)),
        n_reference=0,
        n_current=len(known),
        method=CREEP_METHOD,
        details={"slope_per_day": float(slope.slope)},
    )


def mann_kendall_p_value(values: FloatArray, slope: float = 0.0) -> float:
    """Return the one-sided p-value of an upward trend.

    Args:
        values: In time order.
        slope: Trend to remove before estimating autocorrelation.
    """
    n = len(values)
    signs = np.sign(values[None, :] - values[:, None])
    s = float(np.triu(signs, 1).sum())
    ties = np.unique(values, return_counts=True)[1]
    variance = (n * (n - 1) * (2 * n + 5) - float((ties * (ties - 1) * (2 * ties + 5)).sum())) / 18
    variance *= _autocorrelation_inflation(values - slope * np.arange(n))
    if variance <= 0.0:
        return 1.0
    z = (s - math.copysign(1.0, s)) / math.sqrt(variance) if s != 0 else 0.0
    return float(max(stats.norm.sf(z), np.finfo(float).tiny))


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
