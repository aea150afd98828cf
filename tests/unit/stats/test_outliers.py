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
from include.freezeline.stats.rare_events import Events, fit_rarity

EVENTS = ("is json", "names something new")
NAMES = (*(f"feature {j}" for j in range(8)), *EVENTS)
LEAST = np.full(8, 1e-6)


def _nothing(n: int) -> Events:
    return Events(np.zeros((n, 1), dtype=np.int64), (frozenset(),) * n)


def _unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def _rows(n: int, rng: np.random.Generator) -> Rows:
    """Heavy-tailed features of which two are rare counts, and vectors near their prompts."""
    features = rng.standard_t(4, size=(n, 8))
    features[:, 6:] = rng.poisson(0.1, size=(n, 2))
    vectors = _unit(rng.normal(size=(n, 12)) + 2.0 * np.eye(12)[rng.integers(3, size=n)])
    prompts = _unit(vectors + rng.normal(0, 0.3, size=(n, 12)))
    return Rows(features, vectors, prompts, _nothing(n))


def _judge(reference: Rows, judged: Rows, seed: int = 1) -> Outliers:
    return outlier_p_values(
        reference, judged, NAMES, step_units(reference.features, LEAST), seed=seed
    )


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
    vectors, prompts = _unit(judged.vectors), _unit(judged.prompts)
    found = _judge(reference, Rows(judged.features, vectors, prompts, _nothing(2)))
    assert found.features[0][0] == NEAREST
    assert found.features[1][0] == PROMPT
    assert np.all(found.conformal_p_values <= 0.05)


def test_unknown_prompts_say_nothing() -> None:
    rng = np.random.default_rng(5)
    reference, judged = _rows(100, rng), _rows(4, rng)
    blind = Rows(judged.features, judged.vectors, np.zeros_like(judged.prompts), judged.events)
    found = _judge(reference, blind)
    assert not any(PROMPT in each for each in found.features)


def test_feature_that_never_varied_is_no_alarm_when_it_moves_a_little() -> None:
    rng = np.random.default_rng(6)
    reference, judged = _rows(100, rng), _rows(20, rng)
    reference.features[:, 0], judged.features[:, 0] = 1.0, 1.0
    units = step_units(reference.features, LEAST)
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


def test_one_odd_earlier_row_hides_rows_of_its_own_kind_only() -> None:
    hidden, seen = [], []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        reference, judged = _rows(300, rng), _rows(2, rng)
        reference.features[:, 6:], judged.features[:, 6:] = 0.0, 0.0
        judged.features[:] = 0.0
        # In about half of the draws it is among the calibrating rows.
        reference.features[0, 0] = 1e6
        judged.features[0, 0], judged.features[1, 1] = 1e6, 1e5
        found = outlier_p_values(reference, judged, NAMES, np.ones(8), seed=seed)
        if found.conformal_p_values[1] > 1.5 / 151:
            hidden.append(found.p_values[0])
            seen.append(found.p_values[1])
    assert len(seen) >= 4
    assert min(hidden) > 0.005
    assert max(seen) < 0.002


def test_rare_kind_is_far_out_and_a_usual_one_is_not() -> None:
    rng = np.random.default_rng(8)
    reference, judged = _rows(300, rng), _rows(3, rng)
    judged = Rows(
        np.zeros_like(judged.features), reference.vectors[:3], reference.prompts[:3],
        Events(np.array([[0], [1], [0]]), (frozenset(), frozenset(), frozenset({"host"}))),
    )  # fmt: skip
    found = _judge(reference, judged)
    assert found.p_values[0] > 0.05
    assert max(found.p_values[1:]) < 0.01
    assert [each[0] for each in found.features[1:]] == list(EVENTS)


def test_what_one_row_in_twenty_is_or_names_is_no_event() -> None:
    is_json = np.arange(100)[:, None] % 10 == 0
    named = tuple(frozenset({f"host {i}"}) if i % 9 == 0 else frozenset() for i in range(100))
    rarity = fit_rarity(Events(is_json.astype(np.int64), named))
    fresh = Events(np.array([[1], [0]]), (frozenset({"a new host"}), frozenset({"host 9"})))
    assert rarity.of(fresh).tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_steps_are_not_smaller_than_what_matters() -> None:
    features = np.array([[0.0, 1.0], [10.0, 1.0]])
    assert step_units(features, np.array([1.0, 0.5])).tolist() == [5.0, 0.5]
