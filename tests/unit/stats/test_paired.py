"""The paired combination: answers to the same prompts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from include.freezeline.stats.paired import paired_combination_test
from include.freezeline.stats.sign_members import sign_matrix
from tests.unit.stats.texts import answer_text, make_prompts


def _answers(n: int, seed: int, n_other: int = 0) -> tuple[list[str], list[str]]:
    rng = np.random.default_rng(seed)
    topics = make_prompts(n, rng, (0.4, 0.3, 0.3))
    reference = [answer_text(topic, rng) for topic in topics]
    current = [answer_text(t, rng, is_other_model=i < n_other) for i, t in enumerate(topics)]
    return reference, current


def test_a_third_of_thirty_pairs_by_another_model_is_seen() -> None:
    result = paired_combination_test(*_answers(30, 1, n_other=10), seed=1)
    assert (result.p_value or 1.0) <= 0.01
    assert result.interval is not None
    assert result.interval[0] < (result.value or 0.0) < result.interval[1]
    assert set(result.details["most_typical_pairs"]) <= set(range(10))


def test_level_is_kept_when_nothing_changed() -> None:
    n_windows = 400
    n_rejected = 0
    for number in range(n_windows):
        pairs = _answers(12, 1000 + number)
        result = paired_combination_test(*pairs, seed=number, n_permutations=99, n_refined=199)
        n_rejected += (result.p_value or 0.0) <= 0.05
    low, high = stats.binom.interval(0.999, n_windows, 0.05)
    assert low <= n_rejected <= high


def test_equal_answers_in_every_pair_are_no_change() -> None:
    reference, _ = _answers(20, 2)
    result = paired_combination_test(reference, list(reference), seed=1)
    assert result.p_value == 1.0
    assert result.value == 0.5


@pytest.mark.parametrize("texts", [[], ["a"] * 5, ["same"] * 20])
def test_too_little_is_insufficient(texts: list[str]) -> None:
    assert paired_combination_test(texts, texts, seed=1).reason


def test_windows_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match="as many reference answers"):
        paired_combination_test(["a"] * 9, ["a"] * 8, seed=1)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(max_size=40), min_size=8, max_size=12), st.integers(0, 99))
def test_any_texts_give_a_p_value_or_a_reason(texts: list[str], seed: int) -> None:
    result = paired_combination_test(texts, texts[::-1], seed=seed, n_permutations=49, n_refined=49)
    assert result.reason or 0.0 < (result.p_value or 0.0) <= 1.0


def test_exchanging_the_windows_changes_nothing() -> None:
    reference, current = _answers(20, 3, n_other=4)
    there = paired_combination_test(reference, current, seed=1, n_refined=499)
    back = paired_combination_test(current, reference, seed=1, n_refined=499)
    assert there.p_value == pytest.approx(back.p_value, abs=0.02)
    assert there.value == pytest.approx(back.value)


def test_meaning_is_a_member_when_embeddings_are_given() -> None:
    rng = np.random.default_rng(0)
    before, after = rng.normal(size=(2, 20, 4)).astype(np.float32)
    texts = _answers(20, 4)
    result = paired_combination_test(*texts, seed=1, embeddings=(before, after + 3.0))
    assert result.details["member_p_values"]["meaning"] < 0.01


def test_more_than_a_thousand_pairs_are_drawn_from() -> None:
    reference, current = _answers(1100, 5)
    result = paired_combination_test(reference, current, seed=1, n_permutations=19, n_refined=19)
    assert result.n_current == 1000


def test_first_row_of_signs_is_what_was_observed() -> None:
    signs = sign_matrix(5, 3, np.random.default_rng(1))
    assert signs.shape == (4, 5)
    assert (signs[0] == 1.0).all()
    assert set(np.unique(signs)) <= {-1.0, 1.0}
