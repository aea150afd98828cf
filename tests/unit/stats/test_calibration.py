"""Rejection at 5% under the null stays within the binomial interval; made-up worlds."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from include.freezeline.stats.combination import AnswerSample, conditional_combination_test
from include.freezeline.stats.divergence import divergence_test
from include.freezeline.stats.mmd import mmd_test
from include.freezeline.stats.multiplicity import partial_conjunction_p_value
from include.freezeline.stats.semantic import paired_semantic_score
from include.freezeline.stats.series import creep, day_p_values, robust_baseline
from include.freezeline.stats.vocabulary import topic_groups
from tests.unit.stats.texts import make_window

LEVEL = 0.05
N_WINDOWS = 400


def _n_rejected(p_value: Callable[[np.random.Generator, int], float | None]) -> int:
    found = [p_value(np.random.default_rng(10_000 + i), i) for i in range(N_WINDOWS)]
    known = [p for p in found if p is not None]
    # Of windows of twenty some ask other things by chance, and get no answer.
    assert len(known) >= 0.99 * N_WINDOWS
    assert min(known) > 0.0
    return sum(p <= LEVEL for p in known)


def _assert_level_is_kept(n_rejected: int) -> None:
    """Within the central 99.9% of the binomial, so that a right level fails once in a thousand."""
    low, high = stats.binom.interval(0.999, N_WINDOWS, LEVEL)
    assert low <= n_rejected <= high


def _windows(rng: np.random.Generator, n: int) -> tuple[list[str], list[str]]:
    first, second = make_window(n, rng), make_window(n, rng)
    return first[0] + second[0], first[1] + second[1]


def _combination(rng: np.random.Generator, seed: int) -> float | None:
    prompts, texts = _windows(rng, 20)
    sample = AnswerSample(texts, np.arange(40) >= 20, prompts)
    return conditional_combination_test(sample, seed=seed, n_permutations=99, n_refined=199).p_value


def _divergence(rng: np.random.Generator, seed: int) -> float | None:
    texts = _windows(rng, 20)[1]
    is_current = np.arange(40) >= 20
    return divergence_test(texts, is_current, seed=seed, n_permutations=99, n_refined=199).p_value


def _mmd(rng: np.random.Generator, seed: int) -> float | None:
    rows = rng.normal(size=(40, 5)).astype(np.float32)
    return mmd_test(rows[:20], rows[20:], seed=seed, n_permutations=99).p_value


def _paired(rng: np.random.Generator, seed: int) -> float | None:
    base = rng.normal(size=(12, 8))
    rows = [base + rng.normal(size=base.shape) for _ in range(3)]
    unit = [(r / np.linalg.norm(r, axis=1, keepdims=True)).astype(np.float32) for r in rows]
    return paired_semantic_score(*unit, seed=seed, n_flips=199).p_value


@pytest.mark.parametrize("test", [_combination, _divergence, _mmd, _paired])
def test_level_is_kept_when_nothing_changed(
    test: Callable[[np.random.Generator, int], float | None],
) -> None:
    _assert_level_is_kept(_n_rejected(test))


def test_level_is_kept_when_only_the_mix_of_questions_changed() -> None:
    rejected, n_answered = {"combination": 0, "divergence": 0}, 0
    for i in range(100):
        rng = np.random.default_rng(i)
        first = make_window(40, rng, weights=(0.6, 0.2, 0.2))
        second = make_window(40, rng, weights=(0.2, 0.2, 0.6))
        prompts, texts = first[0] + second[0], first[1] + second[1]
        is_current = np.arange(80) >= 40
        strata = topic_groups(prompts, 3)
        sample = AnswerSample(texts, is_current, prompts, strata=strata)
        results = {
            "combination": conditional_combination_test(
                sample, seed=i, n_permutations=99, n_refined=99
            ),
            "divergence": divergence_test(
                texts, is_current, seed=i, strata=strata, n_permutations=99, n_refined=99
            ),
        }
        for name, result in results.items():
            n_answered += result.p_value is not None
            rejected[name] += result.p_value is not None and result.p_value <= LEVEL
    assert n_answered >= 180
    assert all(n <= stats.binom.ppf(0.9995, 100, LEVEL) for n in rejected.values()), rejected


def test_sustained_days_rarely_reject_when_series_is_noise() -> None:
    """Day noise with heavier tails than normal; the level need not be exact, only kept."""
    weekdays = np.arange(31) % 7
    n_rejected = 0
    for i in range(2000):
        values = 0.1 * np.random.default_rng(i).standard_t(6, size=31)
        baseline = robust_baseline(values[:28], weekdays[:28])
        assert baseline is not None
        upper, _ = day_p_values(values[28:], weekdays[28:], baseline)
        n_rejected += partial_conjunction_p_value(list(upper), 2) <= LEVEL
    assert 0 < n_rejected <= stats.binom.ppf(0.9995, 2000, LEVEL)


def test_creep_rarely_rejects_when_series_is_autocorrelated() -> None:
    n_rejected = 0
    for i in range(N_WINDOWS):
        rng = np.random.default_rng(i)
        noise = rng.normal(size=28)
        for day in range(1, 28):
            noise[day] += 0.2 * noise[day - 1]
        p_value = creep(noise).p_value
        assert p_value is not None
        n_rejected += p_value <= LEVEL
    assert 0 < n_rejected <= 0.12 * N_WINDOWS
