"""Judge bias is found where it was planted, and not where a label explains it."""

import numpy as np
import pytest

from include.freezeline.stats.judge_bias import length_bias, position_bias, self_preference

N = 200


def _labels(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(2, size=N)


def test_length_bias_is_none_when_good_answers_are_merely_longer() -> None:
    rng = np.random.default_rng(1)
    labels = _labels(rng)
    lengths, scores = labels * 100 + rng.normal(size=N), labels + rng.normal(size=N)
    result = length_bias(scores, lengths, labels)
    assert result.p_value is not None
    assert result.p_value > 0.05
    assert abs(result.value or 0.0) < 0.2
    assert np.corrcoef(scores, lengths)[0, 1] > 0.3  # what a naive correlation would blame


def test_length_bias_is_found_when_long_answers_win_within_a_label() -> None:
    rng = np.random.default_rng(2)
    labels, lengths = _labels(rng), rng.normal(size=N)
    result = length_bias(labels + 0.7 * lengths + rng.normal(size=N), lengths, labels)
    assert result.interval is not None
    assert result.interval[0] > 0.2


def test_length_bias_rejects_as_often_as_it_says_when_there_is_none() -> None:
    rejected = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        p_value = length_bias(rng.normal(size=60), rng.normal(size=60), np.arange(60) % 2).p_value
        assert p_value is not None
        rejected += p_value <= 0.05
    assert 0.02 <= rejected / 300 <= 0.09


def test_position_bias_counts_minds_changed() -> None:
    first = np.array([1] * 30 + [-1] * 10)
    swapped = np.array([1] * 20 + [-1] * 20)
    result = position_bias(first, swapped)
    assert result.value == pytest.approx(10 / 40)
    assert result.details == {"n_for_first_place": 10, "n_for_second_place": 0}
    assert result.p_value == pytest.approx(2 * 0.5**10)
    assert position_bias(first, first).p_value == 1.0


def test_position_bias_counts_a_tie_that_becomes_a_preference() -> None:
    first, swapped = np.array([1] * 30 + [0] * 10), np.array([0] * 30 + [0] * 10)
    result = position_bias(first, swapped)
    assert result.value == pytest.approx(30 / 40)
    assert result.details == {"n_for_first_place": 30, "n_for_second_place": 0}


def test_self_preference_is_the_difference_given_the_label() -> None:
    rng = np.random.default_rng(3)
    labels = _labels(rng)
    is_own = rng.random(N) < 0.2 + 0.6 * labels  # the own family really is better
    fair = self_preference(labels + rng.normal(0, 0.3, N), is_own, labels, seed=1)
    unfair = self_preference(labels + 0.5 * is_own + rng.normal(0, 0.3, N), is_own, labels, seed=1)
    assert fair.p_value is not None
    assert unfair.p_value is not None
    assert fair.p_value > 0.05 > unfair.p_value
    assert unfair.value == pytest.approx(0.5, abs=0.15)
    assert unfair.seed == 1


def test_bias_says_what_is_missing_when_there_is_little() -> None:
    few = np.arange(4.0)
    results = (
        length_bias(few, few, np.zeros(4, dtype=np.int64)),
        position_bias(np.zeros(4, dtype=np.int64), np.zeros(4, dtype=np.int64)),
        self_preference(few, few > 1, np.zeros(4, dtype=np.int64), seed=1),
    )
    assert all(result.value is None and "needed" in (result.reason or "") for result in results)


def test_self_preference_interval_covers_none_with_few_own_answers() -> None:
    covered = n_asked = 0
    for seed in range(800):
        rng = np.random.default_rng(seed)
        is_own = rng.permutation(60) < 10
        scores = rng.choice([0.0, 0.25, 0.5, 0.75, 1.0], 60, p=[0.1, 0.1, 0.2, 0.3, 0.3])
        labels = rng.integers(0, 2, 60)
        interval = self_preference(scores, is_own, labels, seed=1, n_permutations=1).interval
        if interval is not None:
            n_asked += 1
            covered += interval[0] <= 0.0 <= interval[1]
    assert n_asked > 600
    assert covered / n_asked >= 0.925


def test_self_preference_with_one_own_answer_of_a_label_has_an_interval() -> None:
    labels = np.array([0] * 20 + [1] * 20)
    is_own = np.array([True] * 15 + [False] * 5 + [True] + [False] * 19)
    scores = np.linspace(0.0, 1.0, 40)
    interval = self_preference(scores, is_own, labels, seed=1, n_permutations=9).interval
    assert interval is not None
    assert np.isfinite(interval).all()
