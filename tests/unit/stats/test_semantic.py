"""Paired score and embedding discrepancy."""

import numpy as np
import pytest

from include.freezeline.stats.mmd import mmd_test
from include.freezeline.stats.semantic import paired_semantic_score, sign_flip_p_value


def _unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def _triples(n: int, shift: float, seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    base = rng.normal(size=(n, 16))
    moved = base + shift * rng.normal(size=16)
    return [_unit(b + 0.3 * rng.normal(size=(n, 16))) for b in (moved, base, base)]


def test_score_is_one_minus_cosine_when_computed_by_hand() -> None:
    current = np.tile(np.array([[0.6, 0.8]], dtype=np.float32), (8, 1))
    reference = np.tile(np.array([[1.0, 0.0]], dtype=np.float32), (8, 1))
    result = paired_semantic_score(current, reference, reference, seed=1, n_flips=999)
    assert result.value == pytest.approx(0.4)
    assert result.details["reference_score"] == pytest.approx(0.0)
    assert result.p_value is not None
    assert result.p_value < 0.02


def test_score_sees_the_shift_when_answers_moved() -> None:
    result = paired_semantic_score(*_triples(20, 1.5, 0), seed=1)
    assert result.p_value is not None
    assert result.p_value < 0.001


def test_score_finds_nothing_when_answers_are_identical() -> None:
    rows = _triples(10, 0.0, 0)[0]
    result = paired_semantic_score(rows, rows, rows, seed=1, n_flips=99)
    assert (result.value, result.p_value) == (pytest.approx(0.0, abs=1e-6), 1.0)


@pytest.mark.parametrize("n", [0, 1, 7])
def test_score_is_insufficient_when_pairs_are_few(n: int) -> None:
    rows = np.ones((n, 4), dtype=np.float32)
    assert "pairs" in str(paired_semantic_score(rows, rows, rows, seed=1).reason)


def test_score_is_insufficient_when_numbers_are_missing() -> None:
    rows = np.full((9, 4), np.nan, dtype=np.float32)
    assert not paired_semantic_score(rows, rows, rows, seed=1).is_sufficient


def test_sign_flip_approaches_the_exact_value_when_all_are_positive() -> None:
    p_value = sign_flip_p_value(np.ones(6), np.random.default_rng(0), 20_000)
    assert p_value == pytest.approx(2**-6, rel=0.15)


def test_mmd_sees_the_shift_when_means_differ() -> None:
    rng = np.random.default_rng(0)
    reference = rng.normal(size=(60, 8)).astype(np.float32)
    current = rng.normal(0.8, size=(60, 8)).astype(np.float32)
    assert mmd_test(reference, current, seed=1).p_value == pytest.approx(1 / 500)


@pytest.mark.parametrize(
    "current", [np.zeros((0, 3)), np.ones((1, 3)), np.full((5, 3), np.nan), np.ones((5, 3))]
)
def test_mmd_is_insufficient_when_there_is_nothing_to_compare(current: np.ndarray) -> None:
    reference = np.ones((5, 3), dtype=np.float32)
    assert mmd_test(reference, current.astype(np.float32), seed=1).reason is not None
