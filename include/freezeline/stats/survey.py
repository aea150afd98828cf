"""Rates estimated from stratified samples with weights."""

import math

import numpy as np
from scipy import stats

from include.freezeline.stats.result import (
    BoolArray,
    FloatArray,
    IntArray,
    StatResult,
    insufficient,
)

_METHOD = "stratified_rate"
_MIN_LABELS = 2


def estimate_rate(
    is_hit: BoolArray,
    stratum: IntArray,
    sample_weight: FloatArray,
    n_eligible: IntArray,
    represented: FloatArray,
    *,
    confidence: float = 0.95,
) -> StatResult:
    """Estimate the rate of hits among all that a sample stands for.

    The estimate is the ratio of two Horvitz-Thompson totals, hits and calls. Its variance has two
    parts: drawing from the strata without replacement, and the sampling of traces before that
    (taken as independent from call to call). The interval is Korn & Graubard's (1998):
    Clopper-Pearson's with the sample size that gives that variance. Where a stratum has few
    labels, its spread is drawn towards that of the whole sample. Strata without any label widen
    the interval to what it would be if all or none of their calls were hits.

    Args:
        is_hit: Labels.
        stratum: Number of each label's stratum.
        sample_weight: Calls that each labelled one stands for before the sample was drawn.
        n_eligible: Calls that could be drawn, by stratum.
        represented: Calls that these stand for, by stratum.
        confidence: Of the interval.
    """
    n = len(is_hit)
    if n < _MIN_LABELS:
        return insufficient(_METHOD, f"{n} labels, at least {_MIN_LABELS} are needed", 0, n)
    n_taken = np.bincount(stratum, minlength=len(n_eligible)).astype(np.float64)
    expansion = (np.asarray(n_eligible, dtype=np.float64) / np.maximum(n_taken, 1.0))[stratum]
    weights = sample_weight * expansion
    rate = float(weights[is_hit].sum() / weights.sum())
    residuals = is_hit.astype(np.float64) - rate
    drawn = _drawing_variance(sample_weight * residuals, stratum, n_taken, n_eligible)
    traced = float(np.sum(weights * (sample_weight - 1.0) * residuals**2))
    variance = (drawn + traced) / float(weights.sum()) ** 2
    n_filled = int(np.count_nonzero(n_taken))
    n_effective = _effective_size(rate, variance, weights, n, float(np.sum(n_eligible)))
    interval = _interval(rate, n_effective, n, max(n - n_filled, 1), confidence)
    missing = float(represented[n_taken == 0].sum() / represented.sum())
    lower, upper = interval[0] * (1.0 - missing), interval[1] * (1.0 - missing) + missing
    return StatResult(
        value=rate,
        interval=(lower, upper),
        p_value=None,
        n_reference=0,
        n_current=n,
        method=_METHOD,
        details={
            "standard_error": math.sqrt(variance),
            "n_effective": n_effective,
            "missing_strata_count": int(np.count_nonzero((n_taken == 0) & (n_eligible > 0))),
            "missing_ratio": missing,
        },
    )


def _drawing_variance(
    values: FloatArray, stratum: IntArray, n_taken: FloatArray, n_eligible: IntArray
) -> float:
    """Return the variance of a total for drawing from the strata without replacement."""
    pooled = float(np.var(values, ddof=1))
    total = 0.0
    for number in np.flatnonzero(n_taken):
        of_stratum = values[stratum == number]
        n, size = float(n_taken[number]), float(n_eligible[number])
        squares = float(np.sum((of_stratum - of_stratum.mean()) ** 2))
        spread = (squares + pooled) / n  # as if one more label had the spread of all
        total += size**2 * max(1.0 - n / size, 0.0) * spread / n
    return total


def _effective_size(
    rate: float, variance: float, weights: FloatArray, n: int, n_all: float
) -> float:
    """Return the size of a simple sample as precise as this one; infinite when nothing is open."""
    if 0.0 < rate < 1.0:
        return rate * (1.0 - rate) / variance if variance > 0.0 else math.inf
    left = 1.0 - n / n_all
    by_weights = float(weights.sum() ** 2 / np.sum(weights**2))  # Kish
    is_census = left <= 0.0 and bool(np.allclose(weights, weights[0]))
    return math.inf if is_census else by_weights / max(left, 1e-9)


def _interval(
    rate: float, n_effective: float, n: int, n_free: int, confidence: float
) -> tuple[float, float]:
    """Return the interval of a rate with an effective sample size."""
    if math.isinf(n_effective):
        return rate, rate
    tail = (1.0 - confidence) / 2.0
    size = n_effective * float(stats.t.ppf(tail, n - 1) / stats.t.ppf(tail, n_free)) ** 2
    hits = rate * size
    lower = 0.0 if rate == 0.0 else float(stats.beta.ppf(tail, hits, size - hits + 1.0))
    upper = 1.0 if rate == 1.0 else float(stats.beta.ppf(1.0 - tail, hits + 1.0, size - hits))
    return lower, upper
