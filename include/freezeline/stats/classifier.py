"""Classifier two-sample test: can the window be told from a vector?

A kernel ridge classifier predicts each row's window from all other rows in closed form, so its
permutation null costs one matrix product and not a training for each permutation.

Sources: Lopez-Paz & Oquab 2017 (*Revisiting Classifier Two-Sample Tests*); Hediger, Michel & Naef
2022 (permutation instead of the binomial, whose independence leave-one-out breaks). Null
hypothesis: both windows draw their rows from one distribution.
"""

import numpy as np

from include.freezeline.stats.conditioning import (
    centre_kernel,
    gaussian_kernel,
    leave_one_out_smoother,
    unit_diagonal,
)
from include.freezeline.stats.mmd import vectors_problem
from include.freezeline.stats.permutation import (
    Float32Array,
    label_matrix,
    permutation_p_value,
    quadratic_form,
)
from include.freezeline.stats.proportions import auc_interval
from include.freezeline.stats.result import IntArray, StatResult, insufficient

METHOD = "classifier_permutation"
_RIDGE = 5.0


def classifier_test(
    reference: Float32Array,
    current: Float32Array,
    *,
    seed: int,
    n_permutations: int = 499,
    strata: IntArray | None = None,
) -> StatResult:
    """Test whether rows betray their window; the value is the area under the ROC curve.

    Args:
        reference: Rows of the reference window, shape (rows, columns).
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
    kernel = unit_diagonal(centre_kernel(gaussian_kernel(rows)))
    predictor = leave_one_out_smoother(kernel, _RIDGE)
    is_current = np.arange(len(rows)) >= sizes[0]
    labels = label_matrix(is_current, n_permutations, np.random.default_rng(seed), strata)
    scores = predictor @ np.where(is_current, 1.0, -1.0).astype(np.float32)
    value, interval = auc_interval(scores[is_current], scores[~is_current])
    return StatResult(
        value=value,
        interval=interval,
        p_value=permutation_p_value(quadratic_form(labels, predictor)),
        n_reference=sizes[0],
        n_current=sizes[1],
        method=METHOD,
        seed=seed,
        details={"n_permutations": n_permutations},
    )
