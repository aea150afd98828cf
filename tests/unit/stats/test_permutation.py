"""The shared label matrix and what is built on it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from include.freezeline.stats.permutation import (
    fisher_combination,
    label_matrix,
    largest_of_rows,
    permutation_p_value,
    rank_p_values,
    shared_strata,
    staged_test,
)


def test_p_value_counts_itself_when_observed_is_the_largest() -> None:
    assert permutation_p_value(np.array([9.0, *range(9)])) == 1 / 10


def test_p_value_is_one_when_all_are_equal() -> None:
    assert permutation_p_value(np.full(20, 3.0)) == 1.0


def test_p_value_ties_when_only_rounding_differs() -> None:
    assert permutation_p_value(np.array([1.0, 1.0 + 1e-9, 0.5])) == pytest.approx(2 / 3)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=50))
def test_rank_p_values_lie_in_range_when_given_anything(values: list[float]) -> None:
    ranks = rank_p_values(np.array(values))
    assert (ranks >= 1 / len(values)).all()
    assert (ranks <= 1.0).all()


def test_contrast_is_the_difference_of_means_when_there_is_one_stratum() -> None:
    is_current = np.array([False, False, True, True, True])
    labels = label_matrix(is_current, 3, np.random.default_rng(0))
    values = np.array([1.0, 3.0, 10.0, 11.0, 12.0], dtype=np.float32)
    assert (labels.contrast @ values)[0] == pytest.approx(9.0)
    assert np.allclose(labels.current.sum(axis=1), 1.0)
    assert np.allclose(labels.reference.sum(axis=1), 1.0)


def test_label_matrix_keeps_counts_per_stratum_when_permuting() -> None:
    is_current = np.array([True, False, False, True, True, False])
    strata = np.array([0, 0, 0, 1, 1, 1])
    labels = label_matrix(is_current, 50, np.random.default_rng(1), strata)
    counts = (labels.current > 0)[:, strata == 0].sum(axis=1)
    assert set(counts.tolist()) == {1}
    assert len(np.unique(labels.current, axis=0)) > 5


def test_stratified_contrast_is_zero_when_only_the_mix_changed() -> None:
    is_current = np.array([False] * 9 + [True] + [False] + [True] * 9)
    strata = np.array([0] * 10 + [1] * 10)
    labels = label_matrix(is_current, 1, np.random.default_rng(1), strata)
    assert (labels.contrast @ strata.astype(np.float32))[0] == pytest.approx(0.0, abs=1e-6)


def test_stratum_weighs_nothing_when_it_has_one_window() -> None:
    is_current = np.array([True, False, True])
    labels = label_matrix(is_current, 2, np.random.default_rng(0), np.array([0, 0, 1]))
    assert (labels.contrast[:, 2] == 0).all()
    assert np.allclose(labels.current.sum(axis=1), 1.0)


def test_label_matrix_refuses_when_no_stratum_has_both_windows() -> None:
    with pytest.raises(ValueError, match="both windows"):
        label_matrix(np.array([True, False]), 2, np.random.default_rng(0), np.array([0, 1]))


def test_shared_strata_drops_rows_when_one_window_is_missing() -> None:
    is_current = np.array([True, False, True, True])
    keep = shared_strata(is_current, np.array([0, 0, 1, 1]), minimum=1)
    assert keep.tolist() == [True, True, False, False]


def test_fisher_combination_matches_scipy_when_members_are_ranks() -> None:
    rng = np.random.default_rng(3)
    members = [rng.normal(size=100) for _ in range(3)]
    expected = stats.combine_pvalues([rank_p_values(m)[0] for m in members], "fisher").statistic
    assert fisher_combination(members)[0] == pytest.approx(expected)


@pytest.mark.parametrize(("observed", "n_rows"), [(0.5, 100), (0.91, 1000), (2.0, 1000)])
def test_small_p_values_alone_are_refined(observed: float, n_rows: int) -> None:
    asked = []

    def statistics_of(size: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        asked.append(size)
        return {"only": np.array([observed, *np.linspace(0.0, 1.0, size)])}

    statistics, p_value = staged_test(statistics_of, 99, 999, seed=4)
    assert len(statistics["only"]) == asked[-1] + 1 == n_rows
    assert p_value == permutation_p_value(statistics["only"])


def test_stages_draw_from_seeds_of_their_own() -> None:
    drawn = []

    def statistics_of(size: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        drawn.append(rng.random())
        return {"only": np.array([1.0, *np.zeros(size)])}

    staged_test(statistics_of, 99, 999, seed=4)
    assert drawn == [np.random.default_rng(seed).random() for seed in (4, 5)]


@given(st.integers(1, 6))
def test_largest_of_rows_are_the_largest(n_largest: int) -> None:
    rows = np.random.default_rng(n_largest).normal(size=(5, 4))
    expected = np.sort(rows, axis=1)[:, -min(n_largest, 4) :]
    assert np.allclose(np.sort(largest_of_rows(rows, n_largest), axis=1), expected)
