"""Members of the combination test: functions of the label matrix, larger is less null.

What does not depend on the labels is computed once; what remains is matrix products.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from include.freezeline.stats.divergence import js_divergence
from include.freezeline.stats.mmd import mmd_matrix
from include.freezeline.stats.permutation import (
    Float32Array,
    LabelMatrix,
    largest_of_rows,
    quadratic_form,
)
from include.freezeline.stats.result import FloatArray

Member = Callable[[LabelMatrix], FloatArray]
_QUANTILES = np.linspace(0.06, 0.94, 12)
TOP_COLUMNS = 20
_TIE_DIGITS = 3


def ks_member(style: Float32Array) -> Member:
    """Return the member that takes the largest distance over features and quantiles."""
    # Equal habits differ in the last digits by where a row stands, and must tie.
    rounded = np.round(style, _TIE_DIGITS)
    thresholds = np.quantile(rounded, _QUANTILES, axis=0, method="inverted_cdf")
    below = np.concatenate([rounded <= row for row in thresholds], axis=1).astype(np.float32)
    return lambda labels: np.asarray(np.abs(labels.contrast @ below).max(axis=1), dtype=np.float64)


def energy_member(columns: Float32Array) -> Member:
    """Return the member that adds the squared differences of all columns in standard units.

    Without the terms of a text with itself, which do not depend on the labels (a linear-kernel
    discrepancy); it sees many small changes that no single column shows.
    """
    scaled = standardised(columns)
    kernel = np.asarray(scaled @ scaled.T, dtype=np.float32)
    np.fill_diagonal(kernel, 0.0)
    return lambda labels: quadratic_form(labels, kernel)


def standardised(columns: Float32Array) -> Float32Array:
    """Return centred columns of standard deviation 1; constant ones become zeros."""
    centred = columns - columns.mean(axis=0)
    spread = centred.std(axis=0)
    return np.asarray(centred / np.where(spread > 0, spread, np.inf), dtype=np.float32)


def js_member(tables: Sequence[Float32Array]) -> Member:
    """Return the member that adds up Jensen-Shannon divergences."""

    def statistic(labels: LabelMatrix) -> FloatArray:
        parts = [
            js_divergence(
                (labels.current @ table).astype(np.float64),
                (labels.reference @ table).astype(np.float64),
            )
            for table in tables
        ]
        return np.asarray(sum(parts), dtype=np.float64)

    return statistic


def word_member(words: Float32Array) -> Member:
    """Return the member that adds the largest squared differences in standard units."""
    spread = words.std(axis=0)
    scaled = words / np.where(spread > 0, spread, np.inf)

    def statistic(labels: LabelMatrix) -> FloatArray:
        largest = largest_of_rows((labels.contrast @ scaled) ** 2, TOP_COLUMNS)
        return np.asarray(largest.sum(axis=1), dtype=np.float64)

    return statistic


def meaning_member(
    embeddings: Float32Array, embedded: NDArray[np.intp], smoother: Float32Array | None
) -> Member:
    """Return the discrepancy of the embedded answers after removing the prompts' part."""
    rows = embeddings[embedded]
    if smoother is not None:
        # Only embedded answers may predict embedded answers.
        centred = rows - rows.mean(axis=0)
        rows = centred - smoother[np.ix_(embedded, embedded)] @ centred
    matrix = mmd_matrix(rows)

    def statistic(labels: LabelMatrix) -> FloatArray:
        part = LabelMatrix(labels.current[:, embedded], labels.reference[:, embedded])
        return quadratic_form(part, matrix)

    return statistic
