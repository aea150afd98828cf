"""Divergences and their calibration."""

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon

from include.freezeline.stats.divergence import divergence_test, js_divergence, kl_divergence
from tests.unit.stats.texts import make_window

P, Q = np.array([10.0, 20.0, 70.0]), np.array([30.0, 30.0, 40.0])


def test_kl_agrees_with_scipy_when_unsmoothed() -> None:
    assert float(kl_divergence(P, Q, smoothing=0.0)) == pytest.approx(stats.entropy(P, Q))


def test_kl_is_zero_when_distributions_are_equal() -> None:
    assert float(kl_divergence(P, P)) == pytest.approx(0.0)


def test_kl_is_finite_when_a_category_is_unseen() -> None:
    assert np.isfinite(float(kl_divergence(np.array([5.0, 0.0]), np.array([0.0, 5.0]))))


def test_js_agrees_with_scipy_when_given_counts() -> None:
    assert float(js_divergence(P, Q)) == pytest.approx(jensenshannon(P, Q) ** 2)


def test_divergence_is_insufficient_when_texts_have_no_words() -> None:
    result = divergence_test(["..."] * 20, np.arange(20) >= 10, seed=1)
    assert not result.is_sufficient
    assert result.value is None


def test_divergence_is_insufficient_when_a_window_is_empty() -> None:
    assert divergence_test(["a b"] * 4, np.ones(4, dtype=bool), seed=1).reason is not None


def test_divergence_sees_the_shift_when_another_model_writes() -> None:
    rng = np.random.default_rng(1)
    texts = make_window(60, rng)[1] + make_window(60, rng, other_share=1.0)[1]
    result = divergence_test(texts, np.arange(120) >= 60, seed=4)
    assert result.p_value == pytest.approx(1 / 5000)
    assert result.details["excess_nats"] > 0.02


def test_divergence_repeats_itself_when_seed_is_equal() -> None:
    texts = make_window(40, np.random.default_rng(2))[1]
    is_current = np.arange(40) >= 20
    assert divergence_test(texts, is_current, seed=4) == divergence_test(texts, is_current, seed=4)
