"""Permutation tests that share one matrix of window labels.

Every statistic of a comparison is computed on the same rows of permuted labels (row 0 is what
was observed), so any function of several statistics is itself an exact permutation test
(Westfall & Young 1993, *Resampling-Based Multiple Testing*). Labels are permuted inside strata
only, and differences are averaged over strata with Cochran-Mantel-Haenszel weights, so that a
change of the strata's mix is no evidence.

Null hypothesis: inside a stratum the window an answer belongs to says nothing about the answer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from include.freezeline.stats.result import BoolArray, FloatArray, IntArray

Float32Array = NDArray[np.float32]
_TIE_DIGITS = 6
_SCREEN_LEVEL = 0.1
_Number = TypeVar("_Number", np.float32, np.float64)


@dataclass(frozen=True, slots=True)
class LabelMatrix:
    """Permuted window labels with the weights that make group means out of them.

    Attributes:
        current: Row i, column j: weight of text j in the mean of the current window; each row
            adds up to 1. Row 0 is observed.
        reference: The same for the reference window.
    """

    current: Float32Array
    reference: Float32Array

    @property
    def contrast(self) -> Float32Array:
        """Weights whose product with a column is current mean minus reference mean."""
        return self.current - self.reference


def label_matrix(
    is_current: BoolArray,
    n_permutations: int,
    rng: np.random.Generator,
    strata: IntArray | None = None,
) -> LabelMatrix:
    """Return ``n_permutations`` + 1 rows of labels, permuted inside strata.

    Args:
        is_current: Observed labels.
        n_permutations: Rows to draw beside the observed one.
        rng: Source of randomness.
        strata: Stratum of each text; one stratum when None.
    """
    groups = np.zeros(len(is_current), dtype=np.int64) if strata is None else strata
    labels = np.tile(is_current, (n_permutations + 1, 1))
    current = np.zeros(labels.shape, dtype=np.float32)
    reference = np.zeros(labels.shape, dtype=np.float32)
    weights = _stratum_weights(is_current, groups)
    for stratum, weight in weights.items():
        if weight == 0.0:
            continue
        columns = np.flatnonzero(groups == stratum)
        block = labels[:, columns]
        block[1:] = rng.permuted(block[1:], axis=1)
        n_current = int(block[0].sum())
        current[:, columns] = block * np.float32(weight / n_current)
        reference[:, columns] = ~block * np.float32(weight / (len(columns) - n_current))
    return LabelMatrix(current, reference)


def _stratum_weights(is_current: BoolArray, groups: IntArray) -> dict[int, float]:
    """Return the Cochran-Mantel-Haenszel weight of each stratum, adding up to 1.

    A stratum that only one window has says nothing and weighs nothing.
    """
    raw: dict[int, float] = {}
    for stratum in np.unique(groups):
        inside = is_current[groups == stratum]
        n_current, n_reference = int(inside.sum()), int((~inside).sum())
        raw[int(stratum)] = n_current * n_reference / (n_current + n_reference)
    total = sum(raw.values())
    if total == 0.0:
        message = "no stratum has texts of both windows; there is nothing to compare"
        raise ValueError(message)
    return {stratum: weight / total for stratum, weight in raw.items()}


def shared_strata(is_current: BoolArray, strata: IntArray, minimum: int = 2) -> BoolArray:
    """Return which rows lie in a stratum that has ``minimum`` rows of both windows."""
    keep = np.zeros(len(strata), dtype=np.bool_)
    for stratum in np.unique(strata):
        inside = strata == stratum
        smaller = min(int(is_current[inside].sum()), int((~is_current[inside]).sum()))
        keep[inside] = smaller >= minimum
    return keep


def permutation_p_value(statistics: FloatArray) -> float:
    """Return (1 + b) / (1 + m) of row 0; large values speak against the null."""
    return float(rank_p_values(statistics)[0])


def rank_p_values(statistics: FloatArray) -> FloatArray:
    """Return for each row the share of rows with an equal or larger statistic.

    Rounding to six digits of the largest value makes sums that differ only by the order of
    additions tie, as they must.
    """
    scale = float(np.max(np.abs(statistics))) or 1.0
    rounded = np.round(statistics / scale, _TIE_DIGITS)
    ordered = np.sort(rounded)
    at_least = len(ordered) - np.searchsorted(ordered, rounded, side="left")
    return np.asarray(at_least / len(ordered), dtype=np.float64)


def fisher_combination(members: Sequence[FloatArray]) -> FloatArray:
    """Return Fisher's sum of the members' permutation ranks, row by row.

    The members share the label matrix, so the rank of row 0 in the sum is again an exact
    p-value whatever the dependence between them (Fisher 1932; Pesarin & Salmaso 2010).
    """
    total = np.zeros(len(members[0]), dtype=np.float64)
    for statistics in members:
        total -= 2.0 * np.log(rank_p_values(statistics))
    return total


def quadratic_form(labels: LabelMatrix, matrix: Float32Array) -> FloatArray:
    """Return contrast' M contrast for every row of labels."""
    contrast = labels.contrast
    return np.asarray(((contrast @ matrix) * contrast).sum(axis=1), dtype=np.float64)


def largest_of_rows(rows: NDArray[_Number], n_largest: int) -> NDArray[_Number]:
    """Return the largest values of every row, or all of a shorter one."""
    width = rows.shape[1]
    n_kept = min(n_largest, width)
    return np.partition(rows, width - n_kept, axis=1)[:, -n_kept:]


def staged_test(
    statistics_of: Callable[[int, np.random.Generator], dict[str, FloatArray]],
    n_permutations: int,
    n_refined: int,
    seed: int,
) -> tuple[dict[str, FloatArray], float]:
    """Screen with few permutations, and refine a small p-value with many fresh ones.

    The refined p-value replaces the screening one only when the latter is at most 10%. It comes
    from its own seed, so it stays valid below that; where it is compared with 5% or less, two
    stages cost hardly any power.

    Args:
        statistics_of: Returns every member's statistics, observed first, for so many permutations.
        n_permutations: Permutations of the screening stage.
        n_refined: Permutations of the refining stage.
        seed: Seed of the screening stage; the other one has the next.

    Returns:
        The members' statistics of the last stage, and the p-value of Fisher's combination.
    """
    for size, stage_seed in ((n_permutations, seed), (n_refined, seed + 1)):
        statistics = statistics_of(size, np.random.default_rng(stage_seed))
        p_value = permutation_p_value(fisher_combination(list(statistics.values())))
        if p_value > _SCREEN_LEVEL:
            break
    return statistics, p_value
