"""Outliers: the false-alarm rate that is stated, and what is far out."""

import numpy as np
import pytest

from include.freezeline.stats.outliers import (
    NEAREST,
    PROMPT,
    Outliers,
    Rows,
    outlier_p_values,
    step_units,
)

NAMES = tuple(f"feature {j}" for j in range(8))


def _unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def _rows(n: int, rng: np.random.Generator) -> Rows:
    """Heavy-tailed features of which two are rare counts, and vectors near their prompts."""
    features = rng.standard_t(4, size=(n, 8))
    features[:, 6:] = rng.poisson(0.1, size=(n, 2))
    vectors = _unit(rng.normal(size=(n, 12)) + 2.0 * np.eye(12)[rng.integers(3, size=n)])
    prompts = _unit(vectors + rng.normal(0, 0.3, size=(n, 12)))
    return Rows(features, vectors, prompts)


def _judge(reference: Rows, judged: Rows, seed: int = 1) -> Outliers:
    return outlier_p_values(reference, judged, NAMES, step_units(reference.features), seed=seed)


def test_p_values_reject_at_most_as_often_as_they_say_when_nothing_is_odd() -> None:
    exact, continued = [], []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        found = _judge(_rows(200, rng), _rows(20, rng), seed)
        exact.append(found.conformal_p_values)
        continued.append(found.p_values)
    for level in (0.2, 0.1, 0.05, 0.02):
        rate = float((np.concatenate(exact) <= level).mean())
        assert rate <= level + 0.015
        assert rate >= 0.6 * level
    # Below 1 / 101 only the continued tail speaks: 3,000 ordinary answers.
    assert (np.concatenate(continued) <= 0.002).mean() <= 0.004
    assert (np.concatenate(continued) <= 0.0002).mean() <= 0.0015


def test_tail_goes_on_where_the_calibrating_answers_end() -> None:
    rng = np.random.default_rng(3)
    reference, judged = _rows(200, rng), _rows(3, rng)
    judged.features[1, 2] = 1e4
    found = _judge(reference, judged)
    assert found.conformal_p_values[1] == pytest.approx(1 / 101)
    assert found.p_values[1] < found.conformal_p_values[1] / 3
    assert found.features[1][0] == "feature 2"
    assert np.all(found.p_values <= found.conformal_p_values)


def test_answer_unlike_all_others_or_its_prompt_is_said_to_be() -> None:
    rng = np.random.default_rng(4)
    reference, judged = _rows(200, rng), _rows(2, rng)
    judged.features[:] = 0.0
    judged.vectors[0] = -reference.vectors.mean(axis=0)
    judged.prompts[0] = judged.vectors[0]
    judged.prompts[1] = -judged.vectors[1]
    found = _judge(reference, Rows(judged.features, _unit(judged.vectors), _unit(judged.prompts)))
    assert found.features[0][0] == NEAREST
    assert found.features[1][0] == PROMPT
    assert np.all(found.conformal_p_values <= 0.05)


def test_unknown_prompts_say_nothing() -> None:
    rng = np.random.default_rng(5)
    reference, judged = _rows(100, rng), _rows(4, rng)
    blind = Rows(judged.features, judged.vectors, np.zeros_like(judged.prompts))
    found = _judge(reference, blind)
    assert not any(PROMPT in each for each in found.features)


def test_feature_that_never_varied_is_no_alarm_when_it_moves_a_little() -> None:
    rng = np.random.default_rng(6)
    reference, judged = _rows(100, rng), _rows(20, rng)
    reference.features[:, 0], judged.features[:, 0] = 1.0, 1.0
    units = step_units(reference.features)
    units[0] = 1.0
    judged.features[:, 0] += 0.1
    moved = outlier_p_values(reference, judged, NAMES, units, seed=1)
    assert moved.p_values.mean() > 0.3


def test_few_calibrating_answers_have_no_tail() -> None:
    rng = np.random.default_rng(7)
    judged = _rows(2, rng)
    judged.features[0, 0] = 1e6
    found = _judge(_rows(40, rng), judged)
    assert found.p_values[0] == found.conformal_p_values[0] == pytest.approx(1 / 21)
