"""Rates from stratified samples: unbiased, and inside their interval as often as they say."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from include.freezeline.stats.survey import estimate_rate

N_TRIALS = 400


def drawn(
    rng: np.random.Generator, sizes: list[int], rates: list[float], takes: list[int], weight: float
) -> tuple[Any, float]:
    """Simulate traces that are kept one in ``weight``, then a sample; the estimate and the truth."""
    hits, strata, n_kept, represented, n_true, n_all = [], [], [], [], 0, 0
    for number, (size, rate, take) in enumerate(zip(sizes, rates, takes, strict=True)):
        truth = rng.random(size) < rate
        n_true, n_all = n_true + int(truth.sum()), n_all + size
        kept = truth[rng.random(size) < 1.0 / weight]
        n_kept.append(len(kept))
        represented.append(len(kept) * weight)
        chosen = rng.permutation(kept)[:take]
        hits += list(chosen)
        strata += [number] * len(chosen)
    result = estimate_rate(
        np.array(hits, dtype=np.bool_),
        np.array(strata, dtype=np.int64),
        np.full(len(hits), weight),
        np.array(n_kept, dtype=np.int64),
        np.array(represented, dtype=np.float64),
    )
    return result, n_true / n_all


@pytest.mark.parametrize(
    ("sizes", "rates", "takes", "weight"),
    [
        ([2000, 500, 60], [0.1, 0.3, 0.5], [80, 40, 20], 1.0),
        ([4000, 1000, 300], [0.02, 0.05, 0.4], [120, 60, 60], 1.0),
        ([3000, 2000, 1000], [0.2, 0.05, 0.6], [60, 60, 60], 3.0),
        ([1500] * 8, [0.05, 0.1, 0.02, 0.3, 0.0, 0.15, 0.08, 0.5], [15] * 8, 1.0),
        ([400, 100], [0.5, 0.9], [300, 80], 1.0),
    ],
)
def test_interval_holds_the_truth_as_often_as_it_says(
    sizes: list[int], rates: list[float], takes: list[int], weight: float
) -> None:
    rng = np.random.default_rng(20261014)
    trials = [drawn(rng, sizes, rates, takes, weight) for _ in range(N_TRIALS)]
    covered = [r.interval[0] <= truth <= r.interval[1] for r, truth in trials]
    errors = [r.value - truth for r, truth in trials]
    standard = np.mean([r.details["standard_error"] for r, _ in trials])
    assert np.mean(covered) >= 0.93
    assert abs(np.mean(errors)) < 4 * np.std(errors) / np.sqrt(N_TRIALS)
    assert standard == pytest.approx(np.std(errors), rel=0.25)


def test_ignoring_the_weights_would_miss() -> None:
    """The design takes as many of the small loud stratum as of the large quiet one."""
    rng = np.random.default_rng(1)
    result, truth = drawn(rng, [5000, 200], [0.02, 0.8], [100, 100], 1.0)
    assert abs(result.value - truth) < 0.03
    assert result.interval[1] < 0.2


@hypothesis_settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 40)), min_size=1, max_size=6))
def test_a_census_gives_the_rate_itself(strata: list[tuple[int, int]]) -> None:
    counts = [(size, min(hits, size)) for size, hits in strata]
    labels = [n < hits for size, hits in counts for n in range(size)]
    if len(labels) < 2:
        return
    numbers = [place for place, (size, _) in enumerate(counts) for _ in range(size)]
    sizes = np.array([size for size, _ in counts], dtype=np.int64)
    result = estimate_rate(
        np.array(labels, dtype=np.bool_), np.array(numbers, dtype=np.int64),
        np.ones(len(labels)), sizes, sizes.astype(np.float64),
    )  # fmt: skip
    rate = sum(labels) / len(labels)
    assert result.value == pytest.approx(rate)
    assert result.interval == (pytest.approx(rate), pytest.approx(rate))


@pytest.mark.parametrize("is_hit", [True, False])
def test_no_variation_is_no_certainty(is_hit: bool) -> None:
    result = estimate_rate(
        np.full(30, is_hit), np.zeros(30, dtype=np.int64), np.ones(30),
        np.array([1000], dtype=np.int64), np.array([1000.0]),
    )  # fmt: skip
    assert result.interval is not None
    lower, upper = result.interval
    assert (lower, upper)[is_hit] == float(is_hit)
    assert 0.05 < upper - lower < 0.2


def test_strata_without_labels_widen_the_interval() -> None:
    hits, strata = np.tile([True, False], 50), np.zeros(100, dtype=np.int64)
    both = estimate_rate(hits, strata, np.ones(100), np.array([800, 200]), np.array([800.0, 200.0]))
    one = estimate_rate(hits, strata, np.ones(100), np.array([800]), np.array([800.0]))
    assert both.interval is not None
    assert one.interval is not None
    assert both.details["missing_ratio"] == pytest.approx(0.2)
    assert both.interval[0] == pytest.approx(0.8 * one.interval[0])
    assert both.interval[1] == pytest.approx(0.8 * one.interval[1] + 0.2)


def test_one_label_is_no_evidence() -> None:
    nothing = estimate_rate(
        np.array([True]), np.array([0]), np.ones(1), np.array([10]), np.array([10.0])
    )
    assert (nothing.value, nothing.is_sufficient) == (None, False)
