"""Do both windows ask the same things?"""

import numpy as np
import pytest
from scipy import stats

from include.freezeline.stats.combination import AnswerSample, conditional_combination_test
from include.freezeline.stats.prompts import (
    MAX_TOLD_APART_RATIO,
    prompt_smoother,
    strangers,
    told_apart_ratio,
)
from tests.unit.stats.texts import answer_text, make_window, prompt_text

N = 60
IS_CURRENT = np.arange(2 * N) >= N


def _prompts(seed: int, before: tuple[float, ...], after: tuple[float, ...]) -> list[str]:
    """Return prompts of two windows with their mixes of topics."""
    rng = np.random.default_rng(seed)
    return [
        prompt for weights in (before, after) for prompt in make_window(N, rng, weights=weights)[0]
    ]


def _ratio(prompts: list[str]) -> float:
    smoother = prompt_smoother(prompts)
    assert smoother is not None
    return told_apart_ratio(smoother, IS_CURRENT)[0]


def test_ratio_is_the_mann_whitney_statistic_over_its_maximum() -> None:
    rng = np.random.default_rng(1)
    smoother = rng.integers(0, 3, (2 * N, 2 * N)).astype(np.float32)
    predicted = smoother @ IS_CURRENT.astype(np.float32)
    u = stats.mannwhitneyu(predicted[IS_CURRENT], predicted[~IS_CURRENT]).statistic
    assert told_apart_ratio(smoother, IS_CURRENT)[0] == pytest.approx(u / N**2)


@pytest.mark.parametrize("seed", range(10))
def test_same_questions_and_a_moved_mix_of_them_can_be_compared(seed: int) -> None:
    same = _prompts(seed, (0.4, 0.3, 0.3), (0.4, 0.3, 0.3))
    assert _ratio(same) < 0.65
    moved = _prompts(seed, (0.7, 0.3, 0.0), (0.3, 0.7, 0.0))
    assert strangers(moved, IS_CURRENT) is None


@pytest.mark.parametrize("seed", range(10))
def test_other_questions_cannot_be_compared(seed: int) -> None:
    other = _prompts(seed, (1.0, 0.0, 0.0), (0.0, 0.5, 0.5))
    assert _ratio(other) > 0.95
    assert "ask different things" in str(strangers(other, IS_CURRENT))


def test_one_question_for_all_can_be_compared() -> None:
    assert strangers(["the same"] * (2 * N), IS_CURRENT) is None


def test_answers_to_other_questions_get_no_p_value() -> None:
    rng = np.random.default_rng(2)
    topics = [0] * N + [1] * N
    sample = AnswerSample(
        texts=[answer_text(topic, rng) for topic in topics],
        is_current=IS_CURRENT,
        prompts=[prompt_text(topic, rng) for topic in topics],
    )
    result = conditional_combination_test(sample, seed=3)
    assert result.p_value is None
    assert f"more than {MAX_TOLD_APART_RATIO:.0%} leave no" in str(result.reason)
