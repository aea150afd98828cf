"""The classifier two-sample test."""

import numpy as np
import pytest
from scipy import stats

from include.freezeline.stats.classifier import classifier_test
from include.freezeline.stats.proportions import auc_interval


def test_shifted_rows_are_told_apart() -> None:
    rng = np.random.default_rng(0)
    result = classifier_test(rng.normal(size=(60, 4)), rng.normal(1.0, size=(60, 4)), seed=1)
    assert result.p_value == pytest.approx(1 / 500)
    assert result.interval is not None
    assert result.interval[0] > 0.5


def test_area_agrees_with_mann_whitney() -> None:
    rng = np.random.default_rng(0)
    high, low = rng.normal(0.5, size=20).astype("f4"), rng.normal(size=30).astype("f4")
    expected = stats.mannwhitneyu(high, low).statistic / 600
    assert auc_interval(high, low)[0] == pytest.approx(expected)


def test_level_is_kept_when_nothing_changed() -> None:
    n_rejected = 0
    for number in range(400):
        rows = np.random.default_rng(number).normal(size=(40, 5))
        result = classifier_test(rows[:20], rows[20:], seed=number, n_permutations=99)
        n_rejected += (result.p_value or 0.0) <= 0.05
    low, high = stats.binom.interval(0.999, 400, 0.05)
    assert low <= n_rejected <= high


@pytest.mark.parametrize("rows", [np.zeros((1, 2)), np.ones((9, 2)), np.full((9, 2), np.nan)])
def test_rows_that_say_nothing_are_insufficient(rows: np.ndarray) -> None:
    assert classifier_test(rows, rows, seed=1).reason
