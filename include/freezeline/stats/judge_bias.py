"""What sways a judge although it should not: length, position, and answers of its own family.

Each question is asked given what people said, or by a swap that changes nothing but the place:
good answers may be longer, and a family may really be better.
"""

from collections.abc import Iterator

import numpy as np
from scipy import special, stats

from include.freezeline.stats.proportions import jeffreys_interval
from include.freezeline.stats.result import (
    BoolArray,
    FloatArray,
    IntArray,
    StatResult,
    insufficient,
)

LENGTH_METHOD = "length_bias_partial_spearman"
POSITION_METHOD = "position_bias_swap"
FAMILY_METHOD, FAMILY_VERSION = "self_preference_permutation", "2"
_Z = 1.959964
_MIN_STRATUM = 5


def length_bias(
    scores: FloatArray, lengths: FloatArray, labels: IntArray, min_count: int = 20
) -> StatResult:
    """Return the rank correlation of score and length among answers with the same label.

    Spearman's correlation per label on Fisher's z scale, averaged with weights n - 3. Null
    hypothesis: given the label, length says nothing about the score.

    Args:
        scores: The judge's scores.
        lengths: Length of each answer, any unit.
        labels: What people said, as numbers.
        min_count: Fewer answers in usable labels are insufficient evidence.
    """
    parts = [
        (np.arctanh(np.clip(stats.spearmanr(scores[own], lengths[own]).statistic, -0.9999, 0.9999)),
         int(own.sum()) - 3)
        for own in _strata(labels)
        if np.ptp(scores[own]) > 0 and np.ptp(lengths[own]) > 0
    ]  # fmt: skip
    n_used = sum(weight + 3 for _, weight in parts)
    if n_used < min_count:
        reason = f"{n_used} answers with labels that vary in score and length, {min_count} needed"
        return insufficient(LENGTH_METHOD, reason, 0, n_used)
    weights = np.array([weight for _, weight in parts], dtype=np.float64)
    z = float(np.average([value for value, _ in parts], weights=weights))
    # 1.06 is what the variance of Spearman's z is above that of Pearson's (Fieller et al. 1957).
    error = float(np.sqrt(1.06 / weights.sum()))
    return StatResult(
        value=float(np.tanh(z)),
        interval=(float(np.tanh(z - _Z * error)), float(np.tanh(z + _Z * error))),
        p_value=float(max(2.0 * stats.norm.sf(abs(z) / error), np.finfo(float).tiny)),
        n_reference=0,
        n_current=n_used,
        method=LENGTH_METHOD,
        details={"n_labels": len(parts)},
    )


def position_bias(first: IntArray, swapped: IntArray, min_count: int = 20) -> StatResult:
    """Return how often a judge changes its mind when two answers change places.

    A tie that becomes a preference is a change too. The p-value is of "when it changes, either
    place is as likely to gain" (exact sign test); how often each gained is in the details.

    Args:
        first: 1 where answer A won and came first, -1 where B won, 0 for a tie.
        swapped: The same A's fate where it came second.
        min_count: Fewer pairs are insufficient evidence.
    """
    n_pairs = len(first)
    if n_pairs < min_count:
        return insufficient(POSITION_METHOD, f"{n_pairs} pairs, {min_count} needed", 0, n_pairs)
    n_first, n_second = int((first > swapped).sum()), int((first < swapped).sum())
    n_changed = n_first + n_second
    p_value = float(stats.binomtest(n_first, n_changed).pvalue) if n_changed else 1.0
    return StatResult(
        value=n_changed / n_pairs,
        interval=jeffreys_interval(n_changed, n_pairs),
        p_value=p_value,
        n_reference=0,
        n_current=n_pairs,
        method=POSITION_METHOD,
        details={"n_for_first_place": n_first, "n_for_second_place": n_second},
    )


def self_preference(
    scores: FloatArray,
    is_own_family: BoolArray,
    labels: IntArray,
    *,
    seed: int,
    n_permutations: int = 1999,
    min_each: int = 10,
) -> StatResult:
    """Return how much higher a judge scores its own family's answers than equally good others.

    Mean differences inside a label with Cochran-Mantel-Haenszel weights; families are permuted
    inside labels. Null hypothesis: given the label, the family says nothing about the score. The
    interval is Welch's, for few answers of a family.

    Args:
        scores: The judge's scores.
        is_own_family: Whether the judged model is of the judge's family.
        labels: What people said, as numbers.
        seed: Seed of the permutations.
        n_permutations: Permutations.
        min_each: Fewer own or other answers are insufficient evidence.
    """
    usable = [own for own in _strata(labels) if 0 < is_own_family[own].sum() < own.sum()]
    n_own = sum(int(is_own_family[own].sum()) for own in usable)
    n_other = sum(int(own.sum()) for own in usable) - n_own
    if min(n_own, n_other) < min_each:
        reason = f"{n_own} own and {n_other} other answers with the same labels, {min_each} needed"
        return insufficient(FAMILY_METHOD, reason, n_other, n_own)
    observed, margin = _mean_difference(scores, is_own_family, usable)
    rng = np.random.default_rng(seed)
    drawn = [
        _mean_difference(scores, _permuted(is_own_family, usable, rng), usable)[0]
        for _ in range(n_permutations)
    ]
    n_as_far = int((np.abs(drawn) >= abs(observed) - 1e-12).sum())
    return StatResult(
        value=observed,
        interval=(observed - margin, observed + margin),
        p_value=(1 + n_as_far) / (1 + n_permutations),
        n_reference=n_other,
        n_current=n_own,
        method=FAMILY_METHOD,
        method_version=FAMILY_VERSION,
        seed=seed,
    )


def _strata(labels: IntArray) -> Iterator[BoolArray]:
    """Yield the rows of each label that has enough of them."""
    for label in np.unique(labels):
        own = labels == label
        if own.sum() >= _MIN_STRATUM:
            yield own


def _mean_difference(
    scores: FloatArray, is_own: BoolArray, strata: list[BoolArray]
) -> tuple[float, float]:
    """Return the weighted difference of means and the margin of its 95% interval."""
    groups = [(scores[stratum & is_own], scores[stratum & ~is_own]) for stratum in strata]
    weights = np.array([len(a) * len(b) / (len(a) + len(b)) for a, b in groups])
    share = weights / weights.sum()
    observed = float(share @ np.array([a.mean() - b.mean() for a, b in groups]))
    terms, freedoms = np.array(
        [(part**2 * variance, n_free)
         for part, (a, b) in zip(share, groups, strict=True)
         for variance, n_free in (_mean_variance(a, b), _mean_variance(b, a))]
    ).T  # fmt: skip
    total = float(terms.sum())
    if total <= 0.0:
        return observed, 0.0
    freedom = total**2 / float((terms**2 / freedoms).sum())
    return observed, float(special.stdtrit(freedom, 0.975) * np.sqrt(total))


def _mean_variance(own: FloatArray, other: FloatArray) -> tuple[float, int]:
    """Return the variance of a mean and its degrees of freedom; one answer borrows the spread."""
    spread = own if len(own) > 1 else other
    return float(spread.var(ddof=1)) / len(own), len(spread) - 1


def _permuted(is_own: BoolArray, strata: list[BoolArray], rng: np.random.Generator) -> BoolArray:
    """Return families permuted inside labels."""
    permuted = is_own.copy()
    for stratum in strata:
        permuted[stratum] = rng.permutation(is_own[stratum])
    return permuted
