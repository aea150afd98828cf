"""Has the mix of categories changed: finish reasons, refusals, formats, tools, intents, lengths?

Rows are permuted between the windows inside strata, so the p-value is exact at the sample size at
hand, however rare a category is. For words, whose texts are not at hand, counts alone are compared
(``count_shift_test``): then every occurrence counts as independent, which is only true of a
sampler's exercise and of counts taken once per text.

Sources: Pearson 1900 (chi-square); Lin 1991 (Jensen-Shannon); Ernst 2004 (permutation tests);
Newcombe 1998 (interval of a difference of shares); Kish 1965 (effective size of a weighted sample).
Null hypothesis: inside a stratum both windows draw their categories from one distribution.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from include.freezeline.stats.divergence import js_divergence, kl_divergence
from include.freezeline.stats.permutation import (
    Float32Array,
    LabelMatrix,
    fisher_combination,
    label_matrix,
    largest_of_rows,
    permutation_p_value,
    rank_p_values,
    staged_test,
)
from include.freezeline.stats.proportions import difference_interval
from include.freezeline.stats.result import (
    BoolArray,
    FloatArray,
    IntArray,
    StatResult,
    insufficient,
)

METHOD = "category_permutation"
METHOD_VERSION = "2"
COUNT_METHOD = "count_hypergeometric"
_SHOWN = 5
_TOP = 100
_CHANCE = 199
_SHARE_DIGITS = 9


def category_shift_test(
    values: Sequence[str],
    is_current: BoolArray,
    *,
    seed: int,
    strata: IntArray | None = None,
    n_permutations: int = 499,
    n_refined: int = 9999,
    named: Collection[str] | None = None,
) -> StatResult:
    """Test whether the shares of categories moved; the value is the largest change of a share.

    The interval is Newcombe's for that category. Chi-square, Jensen-Shannon and Kullback-Leibler
    are members of one permutation test; their own p-values are in the details. Shares have the
    weights of the test's strata, so a change of the strata's mix is no change of a share either.

    Args:
        values: Category of each row of both windows.
        is_current: Which rows belong to the current window.
        seed: Seed of the permutations.
        strata: Labels are permuted inside these groups only.
        n_permutations: Permutations of the screening stage.
        n_refined: Permutations when the screening p-value is at most 10%.
        named: Categories that may be named, at least one; all of them when None.
    """
    n_current, n_reference = int(is_current.sum()), int((~is_current).sum())
    if min(n_current, n_reference) < 2:
        return insufficient(METHOD, "fewer than two rows in a window", n_reference, n_current)
    names, codes = np.unique(np.asarray(values, dtype=np.str_), return_inverse=True)
    if len(names) == 1:
        reason = "all rows are of one category"
        return insufficient(METHOD, reason, n_reference, n_current)
    one_hot = np.eye(len(names), dtype=np.float32)[codes]
    members, p_value = staged_test(
        lambda size, rng: _members(label_matrix(is_current, size, rng, strata), one_hot),
        n_permutations,
        n_refined,
        seed,
    )
    # Other draws than those of the test, whose two stages have this seed and the next.
    labels = label_matrix(is_current, _CHANCE, np.random.default_rng(seed + 2), strata)
    shares = _Shares.of(labels, codes, len(names))
    moved = _moved_shares(shares, [str(name) for name in names], named)
    first = next(iter(moved.values()))
    return StatResult(
        value=first["change_ratio"],
        interval=(first["lower_ratio"], first["upper_ratio"]),
        p_value=p_value,
        n_reference=n_reference,
        n_current=n_current,
        method=METHOD,
        method_version=METHOD_VERSION,
        seed=seed,
        details={
            "moved_categories": moved,
            **_all_moved(shares, labels, one_hot),
            "n_strata": 1 if strata is None else len(np.unique(strata)),
            **_of_test(members),
        },
    )


def _of_test(members: dict[str, FloatArray]) -> dict[str, Any]:
    """Return what each member of the permutation test says."""
    return {
        "member_p_values": {name: permutation_p_value(v) for name, v in members.items()},
        "observed": {name: float(v[0]) for name, v in members.items()},
        "n_permutations": len(next(iter(members.values()))) - 1,
    }


def chi_square(current: FloatArray, reference: FloatArray) -> FloatArray:
    """Return Pearson's statistic of two rows of counts, along the last axis.

    Args:
        current: Counts, one per category; leading axes are separate tables.
        reference: Counts of the same shape.
    """
    both = np.stack(np.broadcast_arrays(current, reference)).astype(np.float64)
    column = both.sum(axis=0)
    row = both.sum(axis=-1, keepdims=True)
    expected = row * column / np.maximum(row.sum(axis=0), 1e-300)
    gaps = np.divide((both - expected) ** 2, expected, out=np.zeros_like(both), where=expected > 0)
    return np.asarray(gaps.sum(axis=(0, -1)))


def _members(labels: LabelMatrix, one_hot: Float32Array) -> dict[str, FloatArray]:
    """Return the three statistics for every row of labels; equal weights when there are no strata."""
    half = len(one_hot) / 2
    current = np.asarray(labels.current @ one_hot * half, dtype=np.float64)
    reference = np.asarray(labels.reference @ one_hot * half, dtype=np.float64)
    return {
        "chi_square": chi_square(current, reference),
        "jensen_shannon_nats": js_divergence(current, reference),
        "kullback_leibler_nats": kl_divergence(current, reference),
    }


@dataclass(frozen=True, slots=True)
class _Shares:
    """Share of every category in both windows, with the weights of the strata.

    Attributes:
        current: Share by category.
        reference: The same.
        sizes: Rows of the current and of the reference window; with strata of different weights
            as many as tell as much (Kish).
    """

    current: FloatArray
    reference: FloatArray
    sizes: FloatArray

    @classmethod
    def of(cls, labels: LabelMatrix, codes: IntArray, n_names: int) -> "_Shares":
        """Return the observed shares, which are those of row 0."""
        rows = [np.asarray(row[0], dtype=np.float64) for row in (labels.current, labels.reference)]
        weights = [row / row.sum() for row in rows]  # 32-bit weights add up to 1 but for rounding
        current, reference = (
            np.asarray(np.bincount(codes, weights=row, minlength=n_names), dtype=np.float64)
            .round(_SHARE_DIGITS)
            .clip(0.0, 1.0)
            for row in weights
        )
        return cls(current, reference, np.array([1.0 / float(row @ row) for row in weights]))


def _moved_shares(
    shares: _Shares, names: Sequence[str], named: Collection[str] | None
) -> dict[str, dict[str, float]]:
    """Return the categories whose share moved most, with the interval of the change."""
    change = shares.current - shares.reference
    chosen = [i for i, name in enumerate(names) if named is None or name in named]
    order = sorted(chosen, key=lambda i: (-round(abs(float(change[i])), _SHARE_DIGITS), names[i]))
    n_current, n_reference = shares.sizes
    moved = {}
    for i in order[:_SHOWN]:
        hits, hits_before = shares.current[i] * n_current, shares.reference[i] * n_reference
        lower, upper = difference_interval(hits, n_current, hits_before, n_reference)
        moved[names[i]] = {
            "reference_ratio": float(shares.reference[i]),
            "current_ratio": float(shares.current[i]),
            "change_ratio": float(change[i]),
            "lower_ratio": float(lower),
            "upper_ratio": float(upper),
        }
    return moved


def _all_moved(shares: _Shares, labels: LabelMatrix, one_hot: Float32Array) -> dict[str, Any]:
    """Return how much moved over all categories together, and how many came and went.

    Many categories differ by chance alone, each a little: the median distance of permuted labels
    says by how much.
    """
    distances = np.abs(labels.contrast @ one_hot).sum(axis=1) / 2.0
    is_gone, is_new = shares.current == 0.0, shares.reference == 0.0
    return {
        "total_variation": float(np.abs(shares.current - shares.reference).sum() / 2.0),
        "chance_total_variation": float(np.median(distances[1:])),
        "n_gone": int(is_gone.sum()),
        "gone_ratio": float(shares.reference[is_gone].sum()),
        "n_new": int(is_new.sum()),
        "new_ratio": float(shares.current[is_new].sum()),
    }


def count_shift_test(
    reference: IntArray, current: IntArray, *, seed: int, n_permutations: int = 199
) -> StatResult:
    """Test whether two vectors of counts come from one distribution, however large it is.

    Which occurrence lies in which window is drawn again, given the totals (a multivariate
    hypergeometric draw). Two members: Pearson's chi-square, which sees a change spread over
    everything, and the mean of the 100 largest terms of it, which sees one that sits in few
    categories. The value is the Kullback-Leibler divergence beyond what chance gives, in nats.

    Args:
        reference: Occurrences by category, shape (categories,).
        current: The same for the current window.
        seed: Seed of the draws.
        n_permutations: Draws.
    """
    sizes = (int(reference.sum()), int(current.sum()))
    if min(sizes) == 0:
        return insufficient(COUNT_METHOD, "a window without occurrences", *sizes)
    both = reference + current
    if np.count_nonzero(both) == 1:
        return insufficient(COUNT_METHOD, "all occurrences are of one category", *sizes)
    rng = np.random.default_rng(seed)
    drawn = rng.multivariate_hypergeometric(both, sizes[1], size=n_permutations, method="marginals")
    rows = np.concatenate([current[None, :], drawn])
    members = _count_members(rows, both)
    divergence = kl_divergence(rows, both - rows)
    null = divergence[1:]
    excess = divergence[0] - np.quantile(null, [0.5, 0.975, 0.025])
    return StatResult(
        value=float(excess[0]),
        interval=(float(excess[1]), float(excess[2])),
        p_value=permutation_p_value(fisher_combination(list(members.values()))),
        n_reference=sizes[0],
        n_current=sizes[1],
        method=COUNT_METHOD,
        seed=seed,
        details={
            "kullback_leibler_nats": float(divergence[0]),
            "chance_median_nats": float(np.median(null)),
            "member_p_values": {n: float(rank_p_values(v)[0]) for n, v in members.items()},
            "n_permutations": n_permutations,
        },
    )


def _count_members(rows: IntArray, both: IntArray) -> dict[str, FloatArray]:
    """Return chi-square and the mean of its largest terms for every row of current counts."""
    expected = both * (rows[0].sum() / both.sum())
    squares = np.divide(
        (rows - expected) ** 2, expected, out=np.zeros(rows.shape), where=expected > 0
    )
    largest = largest_of_rows(squares, _TOP)
    return {"chi_square": squares.sum(axis=1), "largest_terms": largest.mean(axis=1)}
