"""Remove from answers what their prompts explain.

What an answer says depends mostly on what was asked, so a change of questions would look like a
change of the model. Each column is replaced by what a leave-one-out kernel ridge regression on
the prompts does not predict; window labels are not used, so permuting them stays exact.

Sources: Saunders, Gammerman & Vovk 1998 (kernel ridge regression); Allen 1974 (leave-one-out
residuals in closed form).
"""

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from include.freezeline.stats.permutation import Float32Array

RIDGE = 1.0


def leave_one_out_smoother(kernel: Float32Array, ridge: float = RIDGE) -> Float32Array:
    """Return the matrix that predicts each row from all the others.

    Args:
        kernel: Symmetric positive semi-definite similarity of the rows.
        ridge: Penalty; larger values shrink predictions to the mean.
    """
    centred = centre_kernel(kernel).astype(np.float64)
    n_rows = len(centred)
    regularised = centred + ridge * np.eye(n_rows)
    return _left_out(linalg.solve(regularised, centred, assume_a="pos").T + 1.0 / n_rows)


def leave_one_out_odd_smoother(kernel: Float32Array, ridge: float = RIDGE) -> Float32Array:
    """Return the matrix that predicts each row's sign from all the others.

    A kernel of differences is odd in each of them, so there is nothing to centre: with all signs
    flipped every prediction flips.

    Args:
        kernel: Symmetric positive semi-definite similarity of the differences.
        ridge: Penalty; larger values shrink predictions to zero.
    """
    regularised = kernel.astype(np.float64) + ridge * np.eye(len(kernel))
    return _left_out(linalg.solve(regularised, kernel, assume_a="pos").T)


def _left_out(hat: NDArray[np.float64]) -> Float32Array:
    """Return the predictions that leave each row out, from those that do not."""
    diagonal = np.diagonal(hat).copy()
    np.fill_diagonal(hat, 0.0)
    return np.asarray(hat / (1.0 - diagonal)[:, None], dtype=np.float32)


def unit_diagonal(kernel: Float32Array) -> Float32Array:
    """Scale a kernel so that its mean diagonal is 1; zeros stay."""
    scale = float(np.trace(kernel)) / len(kernel)
    return kernel / np.float32(scale if scale > 0.0 else 1.0)


def residuals(smoother: Float32Array | None, columns: Float32Array) -> Float32Array:
    """Return what the smoother does not predict; the columns themselves without a smoother."""
    return columns if smoother is None else columns - smoother @ columns


def centre_kernel(kernel: Float32Array) -> Float32Array:
    """Return the kernel of the features after subtracting their mean."""
    rows = kernel.mean(axis=0)
    return np.asarray(kernel - rows[None, :] - rows[:, None] + rows.mean(), dtype=np.float32)


def gaussian_kernel(rows: Float32Array) -> Float32Array:
    """Return a Gaussian kernel whose width is the median distance of the rows."""
    squares = (rows**2).sum(axis=1)
    distances = np.maximum(squares[:, None] + squares[None, :] - 2.0 * rows @ rows.T, 0.0)
    off_diagonal = distances[np.triu_indices(len(rows), 1)]
    width = float(np.median(off_diagonal)) if len(off_diagonal) else 1.0
    return np.asarray(np.exp(-distances / (width or 1.0)), dtype=np.float32)
