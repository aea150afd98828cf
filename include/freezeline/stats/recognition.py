"""How well a current answer is told from a reference one, beyond what chance gives.

Each row's window is predicted from all the other rows. Where nothing changed such predictions lean
to the wrong side, because leaving a row out leaves more rows of the other window; and where strata
have other mixes of windows they lean to the right side, whatever the answers. Both leanings are in
the areas under the ROC curve of permuted labels, so the observed area is told beyond their median,
and what they spread is its interval.
"""

import numpy as np
from scipy.stats import rankdata

from include.freezeline.stats.permutation import Float32Array, label_matrix
from include.freezeline.stats.result import BoolArray, FloatArray, IntArray
from include.freezeline.stats.sign_members import sign_matrix

_N_LABELS = 399
_TIE_DIGITS = 6


def recognised_beyond_chance(
    predictor: Float32Array, is_current: BoolArray, strata: IntArray, seed: int
) -> tuple[float, tuple[float, float], float]:
    """Return the share of pairs in which the current answer is recognised, 0.5 being chance.

    Args:
        predictor: Row i holds the weights with which the labels of other rows predict row i.
        is_current: Which rows belong to the current window.
        strata: Labels are permuted inside these groups.
        seed: Seed of the permutations.

    Returns:
        The share, its 95% interval, and the area under the curve as it is.
    """
    labels = label_matrix(is_current, _N_LABELS, np.random.default_rng(seed), strata)
    is_compared = (labels.current[0] + labels.reference[0]) > 0
    windows = labels.current > 0
    windows[:, ~is_compared] = is_current[~is_compared]
    scores = np.where(windows, 1.0, -1.0).astype(np.float32) @ predictor.T
    areas = _areas(scores[:, is_compared], windows[:, is_compared])
    return *_beyond(areas), float(areas[0])


def recognised_pairs(predictor: Float32Array, seed: int) -> tuple[float, tuple[float, float]]:
    """Return the share of pairs whose current answer is recognised, 0.5 being chance.

    Args:
        predictor: Row i holds the weights with which the signs of other pairs predict pair i.
        seed: Seed of the flipped signs.

    Returns:
        The share and its 95% interval; a pair that nothing tells apart counts half.
    """
    signs = sign_matrix(len(predictor), _N_LABELS, np.random.default_rng(seed))
    scores = np.round((signs @ predictor.T) * signs, _TIE_DIGITS)
    return _beyond(np.asarray((scores > 0).mean(axis=1) + 0.5 * (scores == 0).mean(axis=1)))


def _beyond(shares: FloatArray) -> tuple[float, tuple[float, float]]:
    """Return the first share beyond the median of the others, with the interval that they spread."""
    lower, middle, upper = np.quantile(shares[1:], (0.025, 0.5, 0.975))
    value = float(0.5 + shares[0] - middle)
    ends = [value + float(middle - upper), value + float(middle - lower)]
    low, high = (float(np.clip(end, 0.0, 1.0)) for end in ends)
    return float(np.clip(value, 0.0, 1.0)), (low, high)


def _areas(scores: Float32Array, windows: BoolArray) -> FloatArray:
    """Return the area under the ROC curve of each row: the Mann-Whitney statistic over its maximum."""
    # Sums that differ by the order of additions alone must tie.
    rounded = np.round(scores.astype(np.float64), _TIE_DIGITS)
    ranks = rankdata(rounded, axis=1)
    n_current = windows.sum(axis=1)
    n_reference = windows.shape[1] - n_current
    sums = np.where(windows, ranks, 0.0).sum(axis=1)
    return np.asarray((sums - n_current * (n_current + 1) / 2) / (n_current * n_reference))
