"""Members of the tests that flip signs inside pairs: functions of rows of signs.

Columns are differences of the two answers of a pair, which a flipped sign turns round.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from include.freezeline.stats.members import TOP_COLUMNS
from include.freezeline.stats.permutation import Float32Array, largest_of_rows
from include.freezeline.stats.result import FloatArray, most_moved

SignMember = Callable[[Float32Array], FloatArray]
_CHUNK = 1000


def sign_matrix(n_pairs: int, n_permutations: int, rng: np.random.Generator) -> Float32Array:
    """Return rows of signs; row 0 is what was observed."""
    signs = rng.choice(np.array([-1.0, 1.0], dtype=np.float32), size=(n_permutations + 1, n_pairs))
    signs[0] = 1.0
    return signs


def scaled(differences: Float32Array) -> Float32Array:
    """Return columns of mean square 1; constant zeros stay."""
    size = np.sqrt((differences**2).mean(axis=0))
    return np.asarray(differences / np.where(size > 0, size, np.inf), dtype=np.float32)


def gram(rows: Float32Array) -> Float32Array:
    """Return the inner products of all rows."""
    return np.asarray(rows @ rows.T, dtype=np.float32)


def z_scores(signs: Float32Array, differences: Float32Array) -> Float32Array:
    """Return the standardised sum of every column under every row of signs."""
    spread = np.sqrt((differences**2).sum(axis=0))
    return np.asarray((signs @ differences) / np.where(spread > 0, spread, np.inf))


def quadratic_member(matrix: Float32Array) -> SignMember:
    """Return the member s' M s."""
    return lambda signs: np.asarray(((signs @ matrix.T) * signs).sum(axis=1), dtype=np.float64)


def largest_mean(differences: Float32Array) -> SignMember:
    """Return the member that takes the largest standardised mean difference."""
    return lambda signs: np.asarray(
        np.abs(z_scores(signs, differences)).max(axis=1), dtype=np.float64
    )


def largest_squares(differences: Float32Array) -> SignMember:
    """Return the member that adds the largest squared z-scores."""

    def statistic(signs: Float32Array) -> FloatArray:
        largest = largest_of_rows(z_scores(signs, differences) ** 2, TOP_COLUMNS)
        return np.asarray(largest.sum(axis=1), dtype=np.float64)

    return statistic


def sum_of_z_scores(differences: Float32Array) -> SignMember:
    """Return the member that adds the z-scores of all columns; large when they are positive."""
    return lambda signs: np.asarray(z_scores(signs, differences).sum(axis=1), dtype=np.float64)


def member_statistics(
    members: Mapping[str, SignMember], signs: Float32Array
) -> dict[str, FloatArray]:
    """Return every member's statistics, rows in blocks so that memory stays small."""
    blocks = [signs[i : i + _CHUNK] for i in range(0, len(signs), _CHUNK)]
    return {name: np.concatenate([f(block) for block in blocks]) for name, f in members.items()}


def ratio_above_zero(scores: NDArray[np.floating]) -> float:
    """Return the share of scores above 0; those of 0 count half."""
    return float((scores > 0).mean() + 0.5 * (scores == 0).mean())


def moved_columns(differences: Float32Array, names: list[str]) -> dict[str, float]:
    """Return the five columns that moved most, in standard errors of their mean difference."""
    if not names:
        return {}
    z = z_scores(np.ones((1, len(differences)), dtype=np.float32), differences)[0]
    return most_moved(z, names)
