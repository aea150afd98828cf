"""Shares of categories, and counts of words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from include.freezeline.stats.categories import (
    category_shift_test,
    chi_square,
    count_shift_test,
)
from include.freezeline.stats.divergence import kl_divergence
from include.freezeline.stats.proportions import difference_interval

COUNTS = st.lists(st.integers(1, 40), min_size=3, max_size=6)


@given(COUNTS)
def test_chi_square_agrees_with_scipy(reference: list[int]) -> None:
    current = reference[1:] + reference[:1]
    table = np.array([current, reference], dtype=float)
    expected = stats.chi2_contingency(table, correction=False).statistic
    assert float(chi_square(table[0], table[1])) == pytest.approx(expected)


def test_difference_interval_agrees_with_newcombe_1998() -> None:
    # Table II of the paper, method 10: 56/70 and 48/80.
    lower, upper = difference_interval(56, 70, 48, 80)
    assert (lower, upper) == pytest.approx((0.0524, 0.3339), abs=1e-4)


def test_shares_that_moved_are_named_with_their_interval() -> None:
    values = ["stop"] * 95 + ["length"] * 5 + ["stop"] * 70 + ["length"] * 30
    result = category_shift_test(values, np.arange(200) >= 100, seed=1)
    assert result.p_value == pytest.approx(1e-4)
    assert abs(result.value or 0.0) == pytest.approx(0.25)
    assert list(result.details["moved_categories"]) == ["length", "stop"]
    assert result.details["moved_categories"]["length"]["lower_ratio"] > 0.1


def test_category_test_keeps_its_level_on_quiet_windows() -> None:
    n_trials, n_rejected = 400, 0
    for number in range(n_trials):
        values = np.random.default_rng(number).choice(
            list("abcd"), p=[0.7, 0.2, 0.07, 0.03], size=120
        )
        result = category_shift_test(
            values.tolist(), np.arange(120) >= 60, seed=number, n_permutations=199, n_refined=199
        )
        n_rejected += (result.p_value or 1.0) <= 0.05
    assert stats.binomtest(n_rejected, n_trials, 0.05).pvalue > 0.01


def test_a_change_of_the_mix_of_strata_is_no_change_of_categories() -> None:
    rng = np.random.default_rng(4)
    strata = np.concatenate([rng.random(300) < 0.2, rng.random(300) < 0.8]).astype(np.int64)
    values = np.where(rng.random(600) < np.where(strata == 1, 0.6, 0.1), "tool", "text").tolist()
    is_current = np.arange(600) >= 300
    assert (category_shift_test(values, is_current, seed=1).p_value or 0.0) < 0.001
    assert (category_shift_test(values, is_current, seed=1, strata=strata).p_value or 0.0) > 0.05


def test_shares_have_the_weights_of_the_strata() -> None:
    """Half of a stratum moves, and the mix of the strata would hide it."""
    strata = np.repeat([0, 1, 0, 1], [90, 30, 30, 90])
    is_current = np.arange(240) >= 120
    values = ["a"] * 90 + ["b"] * 30 + ["a"] * 15 + ["c"] * 15 + ["b"] * 90
    plain = category_shift_test(values, is_current, seed=1).details["moved_categories"]
    inside = category_shift_test(values, is_current, seed=1, strata=strata)
    assert next(iter(plain)) == "a"
    assert plain["a"]["change_ratio"] == pytest.approx((15 - 90) / 120)
    moved = inside.details["moved_categories"]
    assert moved["a"]["change_ratio"] == pytest.approx(-0.25)
    assert moved["b"]["change_ratio"] == pytest.approx(0.0, abs=1e-6)
    assert moved["a"]["lower_ratio"] < -0.25 < moved["a"]["upper_ratio"] < 0.0
    assert inside.details["n_strata"] == 2


def test_all_that_moved_is_told_beside_what_moved_most() -> None:
    values = [f"old {i % 10}" for i in range(100)] + [f"new {i % 10}" for i in range(100)]
    result = category_shift_test(values, np.arange(200) >= 100, seed=1, named=["old 3", "new 3"])
    assert abs(result.value or 0.0) == pytest.approx(0.1)
    assert set(result.details["moved_categories"]) == {"old 3", "new 3"}
    expected = {"n_gone": 10, "gone_ratio": 1.0, "n_new": 10, "new_ratio": 1.0}
    assert {name: result.details[name] for name in expected} == pytest.approx(expected)
    assert result.details["total_variation"] == pytest.approx(1.0)
    assert 0.0 < result.details["chance_total_variation"] < 0.5


@pytest.mark.parametrize(
    ("values", "n_reference"), [(["a"] * 10, 5), (["a", "b", "a"], 3), (["a", "b"], 1)]
)
def test_too_little_is_insufficient(values: list[str], n_reference: int) -> None:
    result = category_shift_test(values, np.arange(len(values)) >= n_reference, seed=1)
    assert result.reason
    assert result.p_value is None


def _exercise(
    rng: np.random.Generator, n_occurrences: int, moved_mass: float
) -> tuple[np.ndarray, np.ndarray]:
    """Draw two windows over 50,000 words; the second has ``moved_mass`` more on 100 of them."""
    ranks = np.arange(1, 50_001)
    before = 1.0 / ranks
    before /= before.sum()
    after = before.copy()
    chosen = slice(5_000, 5_100)
    after[chosen] += moved_mass / 100
    after /= after.sum()
    return rng.multinomial(n_occurrences, before), rng.multinomial(n_occurrences, after)


def test_a_tenth_of_a_percent_over_a_hundred_of_fifty_thousand_words_is_found() -> None:
    """The exercise: calibrated, a change is found that is far below what chance alone gives."""
    before, after = _exercise(np.random.default_rng(1), 2_000_000, 0.001)
    result = count_shift_test(before, after, seed=1)
    assert (result.p_value or 1.0) <= 0.02
    chance = result.details["chance_median_nats"]
    assert (
        0.0 < (result.value or 0.0) < chance
    )  # smaller than the noise that a threshold must allow


def test_no_change_over_fifty_thousand_words_is_quiet_where_a_threshold_alarms() -> None:
    before, after = _exercise(np.random.default_rng(2), 20_000, 0.0)
    assert float(kl_divergence(after, before)) > 0.1  # the fixed threshold would have alarmed
    assert (count_shift_test(before, after, seed=1).p_value or 0.0) > 0.05


def test_count_test_keeps_its_level_on_quiet_counts() -> None:
    n_trials = 400
    rejected = 0
    for number in range(n_trials):
        rng = np.random.default_rng(number)
        before, after = (rng.multinomial(800, np.full(40, 1 / 40)) for _ in range(2))
        rejected += (
            count_shift_test(before, after, seed=number, n_permutations=99).p_value or 1
        ) <= 0.05
    assert stats.binomtest(rejected, n_trials, 0.05).pvalue > 0.01


def test_counts_of_nothing_are_insufficient() -> None:
    nothing, some = np.zeros(3, dtype=np.int64), np.array([1, 2, 0])
    assert count_shift_test(nothing, some, seed=1).reason
    assert count_shift_test(np.array([4, 0]), np.array([3, 0]), seed=1).reason
