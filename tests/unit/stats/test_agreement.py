"""Agreement with people: areas, thresholds and rates against other libraries and known truths."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from include.freezeline.stats.agreement import (
    OperatingPoint,
    calibrate_threshold,
    corrected_rate,
    operating_point,
    roc_agreement,
)


def _world(seed: int, n: int = 120, shift: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 3 == 0
    return rng.normal(size=n) + shift * labels, labels


def test_area_is_the_one_of_scikit_learn_when_scores_tie() -> None:
    scores, labels = _world(0)
    scores = np.round(scores, 1)
    result = roc_agreement(scores, labels)
    assert result.value == pytest.approx(roc_auc_score(labels, scores))
    assert result.interval is not None
    assert result.interval[0] < result.value < result.interval[1]


def test_area_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    # Normal scores one deviation apart: the area is the normal distribution at 1 / sqrt(2).
    truth = 0.7602499
    covered = 0
    for seed in range(400):
        interval = roc_agreement(*_world(seed)).interval
        assert interval is not None
        covered += interval[0] <= truth <= interval[1]
    assert 0.92 <= covered / 400 <= 0.98


def test_area_interval_covers_the_truth_with_few_yes_labels() -> None:
    # Normal scores 2.5 deviations apart: the area is the normal distribution at 2.5 / sqrt(2).
    truth, labels = 0.9614501, np.arange(200) < 10
    covered = 0
    for seed in range(600):
        scores = np.random.default_rng(seed).normal(size=200) + 2.5 * labels
        interval = roc_agreement(scores, labels).interval
        assert interval is not None
        covered += interval[0] <= truth <= interval[1]
    assert covered / 600 >= 0.93


def test_area_interval_is_not_a_point_when_separation_is_perfect() -> None:
    labels = np.arange(40) < 20
    result = roc_agreement(labels.astype(np.float64), labels)
    assert result.value == 1.0
    assert result.interval is not None
    assert 0.8 < result.interval[0] < 0.95


def test_area_needs_labels_of_both_kinds() -> None:
    scores, labels = _world(0, n=12)
    result = roc_agreement(scores, labels)
    assert result.value is None
    assert result.reason is not None
    assert "4 yes and 8 no" in result.reason


@given(st.integers(0, 1000), st.floats(0.1, 0.9))
def test_threshold_gains_as_much_as_any_other(seed: int, weight: float) -> None:
    scores, labels = _world(seed, n=30)
    found = calibrate_threshold(scores, labels, seed=1, sensitivity_weight=weight, n_bootstrap=0)

    def gain(threshold: float) -> float:
        point = operating_point(scores, labels, threshold)
        return weight * point.sensitivity + (1 - weight) * point.specificity

    assert gain(found.value) == pytest.approx(found.gain)
    assert found.gain >= max(gain(each) for each in [*scores, np.inf]) - 1e-9


def test_threshold_interval_narrows_with_more_labels() -> None:
    widths = []
    for n in (60, 2400):
        found = calibrate_threshold(*_world(3, n=n, shift=3.0), seed=1, n_bootstrap=199)
        assert found.interval[0] <= found.value <= found.interval[1]
        widths.append(found.interval[1] - found.interval[0])
    assert widths[1] < widths[0]


def test_threshold_falls_when_misses_cost_more() -> None:
    scores, labels = _world(5, n=600)
    strict, careful = (
        calibrate_threshold(scores, labels, seed=1, sensitivity_weight=w, n_bootstrap=0).value
        for w in (0.2, 0.8)
    )
    assert careful < strict


def test_threshold_and_point_refuse_labels_of_one_kind() -> None:
    scores = np.arange(5.0)
    with pytest.raises(ValueError, match="both kinds"):
        calibrate_threshold(scores, np.ones(5, dtype=bool), seed=1)
    with pytest.raises(ValueError, match="both kinds"):
        operating_point(scores, np.zeros(5, dtype=bool), 0.5)


def _point(n_found: int, n_positive: int, n_passed: int, n_negative: int) -> OperatingPoint:
    labels = np.arange(n_positive + n_negative) < n_positive
    said = np.concatenate([
        np.arange(n_positive) < n_found, np.arange(n_negative) >= n_passed,
    ])  # fmt: skip
    return operating_point(said.astype(np.float64), labels, 0.5)


def test_corrected_rate_is_rogan_and_gladens_value() -> None:
    result = corrected_rate(200, 1000, _point(90, 100, 190, 200))
    assert result.value == pytest.approx((0.2 + 0.95 - 1) / (0.9 + 0.95 - 1))
    assert result.interval is not None
    assert result.interval[0] < result.value < result.interval[1]


def test_corrected_rate_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    truth, sensitivity, specificity = 0.15, 0.8, 0.9
    covered = 0
    for _ in range(600):
        point = _point(
            int(rng.binomial(80, sensitivity)), 80, int(rng.binomial(120, specificity)), 120
        )
        said = truth * sensitivity + (1 - truth) * (1 - specificity)
        interval = corrected_rate(int(rng.binomial(400, said)), 400, point).interval
        assert interval is not None
        covered += interval[0] <= truth <= interval[1]
    assert 0.93 <= covered / 600 <= 0.99


def test_corrected_rate_says_nothing_when_the_evaluator_does() -> None:
    assert corrected_rate(5, 10, _point(50, 100, 50, 100)).reason is not None
    assert corrected_rate(0, 0, _point(90, 100, 90, 100)).reason == "nothing was scored"


def test_corrected_rate_is_unknown_where_the_labels_are_of_other_answers() -> None:
    fewer = corrected_rate(3, 300, _point(18, 20, 64, 80))
    assert (fewer.value, fewer.interval) == (None, None)
    assert fewer.reason is not None
    assert "0.010 said, fewer than the 0.200 false alarms" in fewer.reason
    more = corrected_rate(299, 300, _point(64, 80, 20, 20))
    assert more.value is None
    assert more.reason is not None
    assert "0.997 said, more than the 0.800 found" in more.reason


@pytest.mark.parametrize("n_said", range(31))
def test_corrected_rate_beyond_an_end_is_no_surer_than_at_it(n_said: int) -> None:
    point = _point(18, 20, 64, 80)
    at_end = corrected_rate(60, 300, point).interval
    found = corrected_rate(n_said, 300, point)
    assert at_end is not None
    if found.interval is not None:
        assert found.interval[1] - found.interval[0] > 0.5 * (at_end[1] - max(at_end[0], 0.0))
