"""Have numbers moved: times, lengths, scores? A rank test that permutes inside strata.

Ranks make it independent of the unit and of single wild values. Labels are permuted inside strata
only, so the p-value is exact at the sample size at hand, ties included.

Sources: Mann & Whitney 1947 (the effect is their U over its maximum); van Elteren 1960 (strata);
DeLong, DeLong & Clarke-Pearson 1988 (interval). Null hypothesis: inside a stratum both windows
draw their numbers from one distribution.
"""

import numpy as np
from scipy import stats

from include.freezeline.stats.permutation import (
    label_matrix,
    shared_strata,
    staged_test,
)
from include.freezeline.stats.proportions import error_when_apart, placements
from include.freezeline.stats.result import (
    BoolArray,
    FloatArray,
    IntArray,
    StatResult,
    insufficient,
)

METHOD = "stratified_rank_permutation"


def rank_shift_test(
    values: FloatArray,
    is_current: BoolArray,
    *,
    seed: int,
    strata: IntArray | None = None,
    n_permutations: int = 499,
    n_refined: int = 4999,
) -> StatResult:
    """Test whether numbers moved; the value is P(current > reference) + P(equal) / 2.

    0.5 is no difference, 1 is that every current number is larger. With strata it is the mean of
    the strata's with Cochran-Mantel-Haenszel weights, and strata that only one window has are left
    out.

    Args:
        values: Finite numbers of both windows.
        is_current: Which of them belong to the current window.
        seed: Seed of the permutations.
        strata: Labels are permuted inside these groups only.
        n_permutations: Permutations of the screening stage.
        n_refined: Permutations when the screening p-value is at most 10%.
    """
    groups = np.zeros(len(values), dtype=np.int64) if strata is None else strata
    keep = shared_strata(is_current, groups)
    if not keep.any():
        sizes = int((~is_current).sum()), int(is_current.sum())
        return insufficient(METHOD, "no stratum has two numbers of each window", *sizes)
    values, is_current, groups = values[keep], is_current[keep], groups[keep]
    sizes = int((~is_current).sum()), int(is_current.sum())
    if len(np.unique(values)) == 1:
        return insufficient(METHOD, "all numbers are equal", *sizes)
    ranks = _ranks_inside(values, groups)

    def shifts_of(size: int, rng: np.random.Generator) -> FloatArray:
        labels = label_matrix(is_current, size, rng, groups)
        return np.asarray(labels.contrast @ ranks, dtype=np.float64)

    statistics, p_value = staged_test(
        lambda size, rng: {"shift": np.abs(shifts_of(size, rng))}, n_permutations, n_refined, seed
    )
    shift = float(shifts_of(0, np.random.default_rng(seed))[0])
    value = min(1.0, max(0.0, round(0.5 + shift, 6)))  # weights are 32-bit
    margin = 1.959964 * (
        _standard_error(values, is_current, groups) or error_when_apart(value, min(sizes))
    )
    return StatResult(
        value=value,
        interval=(max(0.0, value - margin), min(1.0, value + margin)),
        p_value=p_value,
        n_reference=sizes[0],
        n_current=sizes[1],
        method=METHOD,
        seed=seed,
        details={
            "reference_median": float(np.median(values[~is_current])),
            "current_median": float(np.median(values[is_current])),
            "n_permutations": len(statistics["shift"]) - 1,
        },
    )


def _ranks_inside(values: FloatArray, groups: IntArray) -> FloatArray:
    """Return mid-ranks over group size: the difference of two means is the effect minus 0.5."""
    ranks = np.zeros(len(values), dtype=np.float64)
    for group in np.unique(groups):
        inside = groups == group
        ranks[inside] = stats.rankdata(values[inside]) / int(inside.sum())
    return ranks


def _standard_error(values: FloatArray, is_current: BoolArray, groups: IntArray) -> float:
    """Return DeLong's standard error of the weighted mean effect."""
    total_weight, variance = 0.0, 0.0
    for group in np.unique(groups):
        inside = groups == group
        current, reference = values[inside & is_current], values[inside & ~is_current]
        n_current, n_reference = len(current), len(reference)
        weight = n_current * n_reference / (n_current + n_reference)
        of_current = placements(current, reference)
        of_reference = placements(reference, current)
        spread = of_current.var(ddof=1) / n_current + of_reference.var(ddof=1) / n_reference
        variance += weight**2 * float(spread)
        total_weight += weight
    return float(np.sqrt(variance)) / total_weight
