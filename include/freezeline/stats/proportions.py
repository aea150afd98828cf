"""Ratios and their uncertainty: Jeffreys intervals, predictive tests of counts, ROC areas."""

import math

import numpy as np
from scipy import stats

from include.freezeline.stats.permutation import Float32Array
from include.freezeline.stats.result import BoolArray, FloatArray, IntArray
from include.freezeline.stats.robust import MAD_TO_SD


def jeffreys_interval(
    n_bad: float, n_all: float, confidence: float = 0.95
) -> tuple[float, float] | None:
    """Return the Jeffreys interval of a ratio, None without observations.

    Source: Brown, Cai & DasGupta 2001, *Interval Estimation for a Binomial Proportion*.
    """
    if n_all == 0:
        return None
    tail = (1.0 - confidence) / 2.0
    posterior = stats.beta(n_bad + 0.5, n_all - n_bad + 0.5)
    lower = 0.0 if n_bad == 0 else float(posterior.ppf(tail))
    upper = 1.0 if n_bad == n_all else float(posterior.ppf(1.0 - tail))
    return lower, upper


def difference_interval(
    n_hits: int, n_rows: int, n_hits_before: int, n_rows_before: int, confidence: float = 0.95
) -> tuple[float, float]:
    """Return Newcombe's interval (his method 10) of a difference of two independent shares.

    Source: Newcombe 1998, *Interval estimation for the difference between independent proportions*.

    Args:
        n_hits: Rows of the category now.
        n_rows: All rows now, at least 1.
        n_hits_before: Rows of the category in the reference.
        n_rows_before: All rows of the reference, at least 1.
        confidence: Of the interval.
    """
    now, before = n_hits / n_rows, n_hits_before / n_rows_before
    now_lower, now_upper = _wilson(now, n_rows, confidence)
    before_lower, before_upper = _wilson(before, n_rows_before, confidence)
    difference = now - before
    lower = difference - math.hypot(now - now_lower, before_upper - before)
    return lower, difference + math.hypot(now_upper - now, before - before_lower)


def _wilson(share: float, n: int, confidence: float) -> tuple[float, float]:
    """Return Wilson's interval of a share."""
    z = float(stats.norm.isf((1.0 - confidence) / 2.0))
    centre = (share + z * z / (2 * n)) / (1.0 + z * z / n)
    half = z * math.sqrt(share * (1.0 - share) / n + z * z / (4 * n * n)) / (1.0 + z * z / n)
    return centre - half, centre + half


def risen_share(usual: float, ratio: float, difference: float) -> float:
    """Return the least share that is a rise that matters.

    Above a half the relative rise is that of what is left, or nothing could rise enough.

    Args:
        usual: The usual share.
        ratio: Relative rise that matters, 0.5 is half as much again.
        difference: Absolute rise that matters; the larger of both counts.
    """
    return min(1.0, usual + max(difference, ratio * min(usual, 1.0 - usual)))


def overdispersion(n_bad: IntArray, n_all: IntArray, groups: IntArray | None = None) -> float:
    """Return how many times the daily ratios vary more than a binomial; at least 1.

    Pearson's chi-square over its degrees of freedom (McCullagh & Nelder 1989).

    Args:
        n_bad: Events that count, per day.
        n_all: All events per day.
        groups: Days of a group share a ratio; all days by default.
    """
    groups = np.zeros(len(n_all), dtype=np.int64) if groups is None else groups
    chi_square, df = 0.0, 0
    for group in np.unique(groups[n_all > 0]):
        own = (groups == group) & (n_all > 0)
        bad, size = n_bad[own].astype(np.float64), n_all[own].astype(np.float64)
        ratio = float(bad.sum() / size.sum())
        if 0.0 < ratio < 1.0 and len(bad) > 1:
            chi_square += float(((bad - size * ratio) ** 2 / (size * ratio * (1.0 - ratio))).sum())
            df += len(bad) - 1
    return max(1.0, chi_square / df) if df else 1.0


def ordinary_days(
    n_bad: IntArray, n_all: IntArray, groups: IntArray | None = None, cutoff: float = 4.0
) -> BoolArray:
    """Return which days look like the median day, so that an incident is no baseline.

    Residuals from the median ratio are compared with their robust scale (Rousseeuw & Croux
    1993), at least that of a binomial.

    Args:
        n_bad: Events that count, per day.
        n_all: All events per day.
        groups: Each day is compared with the median day of its group; of all days by default.
        cutoff: Robust standard deviations that are still ordinary.
    """
    groups = np.zeros(len(n_all), dtype=np.int64) if groups is None else groups
    bad, size = n_bad.astype(np.float64), n_all.astype(np.float64)
    known = size > 0
    if not known.any():
        return np.asarray(known, dtype=np.bool_)
    ratio = np.zeros(len(size))
    for group in np.unique(groups[known]):
        own = (groups == group) & known
        floor = (float(np.median(bad[own])) + 0.5) / (float(np.median(size[own])) + 1.0)
        ratio[groups == group] = min(0.999, max(float(np.median(bad[own] / size[own])), floor))
    residual = np.zeros(len(size))
    spread = np.sqrt(size * ratio * (1.0 - ratio))[known]
    residual[known] = (bad - size * ratio)[known] / spread
    scale = max(1.0, MAD_TO_SD * float(np.median(np.abs(residual[known]))))
    return np.asarray(known & (np.abs(residual) <= cutoff * scale), dtype=np.bool_)


def predictive_p_value(
    n_bad: int, n_all: int, baseline_bad: int, baseline_all: int, dispersion: float = 1.0
) -> float:
    """Return P(at least ``n_bad`` of ``n_all``) if the baseline's ratio still holds.

    Beta-binomial predictive with the Jeffreys prior; over-dispersed baselines shrink both
    samples by the dispersion factor. Null hypothesis: the ratio has not risen.
    """
    size = max(1, round(n_all / dispersion))
    hits = min(size, math.floor(n_bad / dispersion))
    bad, good = baseline_bad / dispersion, (baseline_all - baseline_bad) / dispersion
    tail = stats.betabinom(size, bad + 0.5, good + 0.5).sf(hits - 1)
    return float(min(1.0, max(tail, np.finfo(float).tiny)))


def error_when_apart(area: float, n: int) -> float:
    """Return the standard error of an area of 0 or 1, as if half an observation disagreed.

    The usual formulas give 0 there, as if a few observations were proof.
    """
    shrunk = (area * n + 0.5) / (n + 1)
    return math.sqrt(shrunk * (1.0 - shrunk) / n)


def placements(values: FloatArray, others: FloatArray) -> FloatArray:
    """Return for each value the share of the others below it, equal ones counted half.

    Source: DeLong, DeLong & Clarke-Pearson 1988, whose variance of an area is made of them.
    """
    ordered = np.sort(others)
    below = np.searchsorted(ordered, values, side="left")
    at_most = np.searchsorted(ordered, values, side="right")
    return np.asarray((below + at_most) / (2.0 * len(others)), dtype=np.float64)


def auc_interval(
    positive: Float32Array, negative: Float32Array
) -> tuple[float, tuple[float, float]]:
    """Return the area under the ROC curve with its 95% interval.

    Source: Hanley & McNeil 1982. The area is the Mann-Whitney statistic over its maximum.
    """
    n_positive, n_negative = len(positive), len(negative)
    u = stats.mannwhitneyu(positive, negative, alternative="two-sided").statistic
    area = float(u) / (n_positive * n_negative)
    error = hanley_error(area, n_positive, n_negative) or error_when_apart(
        area, min(n_positive, n_negative)
    )
    margin = 1.959964 * error
    return area, (max(0.0, area - margin), min(1.0, area + margin))


def hanley_error(area: float, n_positive: int, n_negative: int) -> float:
    """Return the standard error of an area under the ROC curve where scores are exponential.

    Source: Hanley & McNeil 1982.

    Args:
        area: The area.
        n_positive: Scores of the kind that should be higher.
        n_negative: Scores of the other kind.
    """
    q1, q2 = area / (2.0 - area), 2.0 * area**2 / (1.0 + area)
    variance = (
        area * (1.0 - area) + (n_positive - 1) * (q1 - area**2) + (n_negative - 1) * (q2 - area**2)
    ) / (n_positive * n_negative)
    return math.sqrt(max(variance, 0.0))
