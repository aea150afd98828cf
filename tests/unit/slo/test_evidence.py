"""Evidence against published reference numbers."""

import math
from fractions import Fraction

import pytest

from include.freezeline.slo.evidence import (
    detector_score,
    jeffreys_p_at_least,
    log_e_value,
    weigh,
)

LIMIT = Fraction("0.05")
# Values of the sequential test's worked table (limit 5%, prior Beta(1, 9)).
E_VALUES = [
    (0, 100, 0.0826),
    (5, 100, 0.2632),
    (10, 100, 3.4309),
    (20, 200, 19.8905),
    (3, 3, 57.57),
]
DETECTOR_DAYS = [(8, 200), (11, 200), (17, 200), (19, 200), (22, 200)]
DETECTOR_SCORES = [0.121, 0.273, 3.641, 45.8, 4423]


@pytest.mark.parametrize(("n_bad", "n_all", "expected"), E_VALUES)
def test_e_value_equals_reference_when_counts_are_those_of_the_table(
    n_bad: int, n_all: int, expected: float
) -> None:
    value = math.exp(log_e_value(n_bad, n_all - n_bad, 0.05, (1.0, 9.0)))
    assert value == pytest.approx(expected, rel=2e-3)


def test_detector_alarms_on_fifth_day_when_days_worsen_as_in_the_table() -> None:
    scores = [detector_score(DETECTOR_DAYS[: day + 1], LIMIT) for day in range(5)]
    assert scores == pytest.approx(DETECTOR_SCORES, rel=5e-3)


@pytest.mark.parametrize("n_all", [100, 5_000, 200_000])
def test_detector_stays_finite_when_counts_are_large(n_all: int) -> None:
    quiet = detector_score([(n_all // 50, n_all)] * 28, LIMIT)
    loud = detector_score([(n_all // 5, n_all)] * 28, LIMIT)
    assert quiet is not None
    assert loud is not None
    assert 0 < quiet < 1
    assert 365 < loud < math.inf


def test_detector_is_unknown_when_no_day_has_events() -> None:
    assert detector_score([(0, 0)] * 28, LIMIT) is None


@pytest.mark.parametrize(
    ("n_bad", "n_all", "expected"), [(1, 3, 0.9637), (5, 100, 0.5281), (60, 1000, 0.9236)]
)
def test_posterior_equals_reference_when_counts_are_small(
    n_bad: int, n_all: int, expected: float
) -> None:
    assert jeffreys_p_at_least(n_bad, n_all, LIMIT) == pytest.approx(expected, abs=5e-5)


def test_volume_is_low_when_fewer_than_five_bad_events_are_allowed() -> None:
    assert weigh(0, 99, LIMIT).is_low_volume
    assert not weigh(0, 100, LIMIT).is_low_volume
    assert not weigh(0, 0, Fraction(0)).is_low_volume
