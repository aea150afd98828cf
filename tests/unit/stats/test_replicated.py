"""Triples: a current answer beside two reference answers to the same prompt."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from include.freezeline.stats.replicated import Triples, replicated_combination_test
from tests.unit.stats.texts import answer_text, make_prompts

_SENTENCE = "amber birch cedar delta ember fjord grove heath islet jetty knoll ledge marsh north"


def _triples(n: int, seed: int, n_other: int = 0) -> Triples:
    rng = np.random.default_rng(seed)
    topics = make_prompts(n, rng, (0.4, 0.3, 0.3))
    reference, replicate = ([answer_text(topic, rng) for topic in topics] for _ in range(2))
    current = [answer_text(t, rng, is_other_model=i < n_other) for i, t in enumerate(topics)]
    return Triples(reference, replicate, current)


def _sampled(n: int, seed: int, n_changed: int) -> Triples:
    """Return answers that differ from usual by chance in two words of 14, current ones in more."""
    rng = np.random.default_rng(seed)

    def sample(n_new: int) -> list[str]:
        rows = []
        for _ in range(n):
            row = _SENTENCE.split()
            for place in rng.permutation(len(row))[:n_new]:
                row[place] = str(rng.choice(["rock", "sand", "clay", "peat", "silt", "loam"]))
            rows.append(" ".join(row))
        return rows

    return Triples(sample(2), sample(2), sample(n_changed))


def test_another_model_is_recognised() -> None:
    result = replicated_combination_test(_triples(30, 1, n_other=10), seed=1)
    assert (result.p_value or 1.0) <= 0.01
    assert result.interval is not None
    assert result.interval[0] < (result.value or 0.0) < result.interval[1]
    assert set(result.details["most_typical_pairs"]) <= set(range(10))


def test_answers_that_vary_more_are_seen_by_their_distance_alone() -> None:
    result = replicated_combination_test(_sampled(40, 2, n_changed=4), seed=1)
    told = result.details["member_p_values"]
    assert (result.p_value or 1.0) <= 0.01
    assert told["distances"] <= 0.01
    assert result.details["farther_ratio"] > 0.7


@pytest.mark.parametrize("make", [_triples, lambda n, seed: _sampled(n, seed, n_changed=2)])
def test_level_is_kept_when_nothing_changed(make: Callable[[int, int], Triples]) -> None:
    n_windows = 400
    n_rejected = 0
    for number in range(n_windows):
        triples = make(12, 1000 + number)
        result = replicated_combination_test(triples, seed=number, n_permutations=99, n_refined=199)
        n_rejected += (result.p_value or 0.0) <= 0.05
    low, high = stats.binom.interval(0.999, n_windows, 0.05)
    assert low <= n_rejected <= high


def test_embeddings_that_lie_farther_are_seen() -> None:
    plain = _triples(20, 4)
    rng = np.random.default_rng(0)

    def rows(spread: float) -> np.ndarray:
        found = 1.0 + spread * rng.normal(size=(20, 8))
        unit = found / np.linalg.norm(found, axis=1, keepdims=True)
        return unit.astype(np.float32)

    embeddings = (rows(0.1), rows(0.1), rows(0.8))
    triples = Triples(plain.reference, plain.replicate, plain.current, embeddings)
    with_them = replicated_combination_test(triples, seed=1).details["member_p_values"]
    without = replicated_combination_test(plain, seed=1).details["member_p_values"]
    assert with_them["distances"] < without["distances"]


def test_the_same_answers_again_are_no_change() -> None:
    made = _triples(20, 2)
    result = replicated_combination_test(
        Triples(made.reference, made.replicate, list(made.replicate)), seed=1
    )
    assert (result.p_value, result.value) == (1.0, 0.5)


def test_exchanging_current_and_second_reference_mirrors_the_distance() -> None:
    made = _sampled(30, 3, n_changed=4)
    back = Triples(made.reference, made.current, made.replicate)
    there, mirrored = (replicated_combination_test(each, seed=1) for each in (made, back))
    assert there.details["farther_ratio"] == pytest.approx(1.0 - mirrored.details["farther_ratio"])
    assert there.value == pytest.approx(mirrored.value)


@pytest.mark.parametrize("texts", [[], ["a"] * 5, ["same"] * 20])
def test_too_little_is_insufficient(texts: Sequence[str]) -> None:
    result = replicated_combination_test(Triples(texts, texts, texts), seed=1)
    assert result.reason
    assert result.p_value is None


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="as many answers of each kind"):
        replicated_combination_test(Triples(["a"] * 9, ["a"] * 9, ["a"] * 8), seed=1)


def test_same_inputs_give_the_same_result() -> None:
    first, second = (replicated_combination_test(_triples(20, 5), seed=3) for _ in range(2))
    assert first == second


def test_of_more_than_a_thousand_triples_the_first_are_read() -> None:
    result = replicated_combination_test(_triples(1010, 6), seed=1, n_permutations=19, n_refined=19)
    assert result.n_current == 1000


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(max_size=40), min_size=8, max_size=12), st.integers(0, 99))
def test_any_texts_give_a_p_value_or_a_reason(texts: list[str], seed: int) -> None:
    triples = Triples(texts, texts[::-1], texts[1:] + texts[:1])
    result = replicated_combination_test(triples, seed=seed, n_permutations=49, n_refined=49)
    assert result.reason or 0.0 < (result.p_value or 0.0) <= 1.0
