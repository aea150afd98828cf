"""Two-sample permutation test on embeddings: maximum mean discrepancy.

Source: Gretton et al. 2012, *A Kernel Two-Sample Test*. Null hypothesis: both windows draw
their rows from one distribution. Calibrated it keeps its level, but topics dominate embeddings,
so it sees a change of model badly (docs/statistics.md); use it as one member of a combination.
"""

import numpy as np

from include.freezeline.stats.conditioning import centre_kernel, gaussian_kernel
from include.freezeline.stats.permutation import (
    Float32Array,
    label_matrix,
    permutation_p_value,
    quadratic_form,
)
from include.freezeline.stats.result import IntArray, StatResult, insufficient

METHOD = "mmd_permutation"


def mmd_test(
    reference: Float32Array,
    current: Float32Array,
    *,
    seed: int,
    n_permutations: int = 499,
    strata: IntArray | None = None,
) -> StatResult:
    """Test whether two samples of vectors come from one distribution.

    Args:
        reference: Rows of the reference window.
        current: Rows of the current window.
        seed: Seed of the permutations.
        n_permutations: Permutations to draw.
        strata: Stratum of each row, reference rows first.
    """
    sizes = (len(reference), len(current))
    problem = vectors_problem(reference, current)
    if problem:
        return insufficient(METHOD, problem, *sizes)
    rows = np.concatenate([reference, current]).astype(np.float32)
    is_current = np.arange(len(rows)) >= len(reference)
    labels = label_matrix(is_current, n_permutations, np.random.default_rng(seed), strata)
    statistics = quadratic_form(labels, mmd_matrix(rows))
    return StatResult(
        value=float(statistics[0]),
        interval=None,
        p_value=permutation_p_value(statistics),
        n_reference=sizes[0],
        n_current=sizes[1],
        method=METHOD,
        seed=seed,
        details={"n_permutations": n_permutations},
    )


def mmd_matrix(rows: Float32Array) -> Float32Array:
    """Return the kernel whose quadratic form in the contrast is the squared discrepancy."""
    kernel = centre_kernel(gaussian_kernel(rows))
    np.fill_diagonal(kernel, 0.0)
    return kernel


def vectors_problem(reference: Float32Array, current: Float32Array) -> str | None:
    """Say why two samples of vectors cannot be compared; None when they can."""
    if min(len(reference), len(current)) < 2:
        return "fewer than two rows in a window"
    both = np.concatenate([reference, current])
    if not np.isfinite(both).all():
        return "rows with missing or infinite numbers"
    if np.ptp(both, axis=0).max(initial=0.0) == 0.0:
        return "all rows are equal"
    return None
