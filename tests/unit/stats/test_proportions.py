"""Ratios, ROC areas and error control."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score

from include.freezeline.stats.daily_shares import share_baseline
from include.freezeline.stats.multiplicity import adjusted_p_values, partial_conjunction_p_value
from include.freezeline.stats.proportions import (
    auc_interval,
    jeffreys_interval,
    ordinary_days,
    overdispersion,
    predictive_p_value,
)


def test_jeffreys_matches_the_beta_quantiles_when_interior() -> None:
    expected = stats.beta(5.5, 95.5).ppf([0.025, 0.975])
    assert jeffreys_interval(5, 100) == pytest.approx(tuple(expected))


def test_jeffreys_is_none_when_nothing_was_seen() -> None:
    assert jeffreys_interval(0, 0) is None


def test_jeffreys_touches_the_ends_when_all_or_none() -> None:
    none, every = jeffreys_interval(0, 10), jeffreys_interval(10, 10)
    assert none is not None
    assert every is not None
    assert (none[0], every[1]) == (0.0, 1.0)


def test_dispersion_is_one_when_days_are_binomial() -> None:
    rng = np.random.default_rng(0)
    counts = rng.binomial(200, 0.1, size=300)
    assert overdispersion(counts, np.full(300, 200)) == pytest.approx(1.0, abs=0.25)


def test_dispersion_grows_when_days_vary_more() -> None:
    assert overdispersion(np.array([0, 40, 0, 40]), np.full(4, 200)) > 10


def test_dispersion_is_one_when_groups_differ_and_their_days_do_not() -> None:
    groups = np.array([0, 1, 0, 1])
    assert overdispersion(np.array([0, 40, 0, 40]), np.full(4, 200), groups) == 1.0


def test_ordinary_days_leave_the_incident_out_when_it_is_in_the_baseline() -> None:
    keep = ordinary_days(np.array([4] * 20 + [60, 70]), np.full(22, 200))
    assert keep.tolist() == [True] * 20 + [False, False]


def test_ordinary_days_keep_all_when_days_vary_by_nature() -> None:
    assert ordinary_days(np.array([0, 1, 0, 2, 1, 0, 0, 3]), np.full(8, 100)).all()
    assert not ordinary_days(np.zeros(2, np.int64), np.zeros(2, np.int64)).any()


def test_predictive_p_value_approaches_the_binomial_when_baseline_is_long() -> None:
    expected = stats.binom.sf(9, 100, 0.05)
    assert predictive_p_value(10, 100, 50_000, 1_000_000) == pytest.approx(expected, rel=0.02)


def test_predictive_p_value_is_one_when_nothing_bad_happened() -> None:
    assert predictive_p_value(0, 100, 3, 1000) == 1.0


def test_auc_agrees_with_sklearn_when_scores_tie() -> None:
    positive = np.array([1.0, 2.0, 2.0, 3.0], dtype=np.float32)
    negative = np.array([0.0, 2.0, 1.0], dtype=np.float32)
    expected = roc_auc_score([1] * 4 + [0] * 3, np.concatenate([positive, negative]))
    area, (lower, upper) = auc_interval(positive, negative)
    assert area == pytest.approx(expected)
    assert lower < area < upper


@pytest.mark.parametrize("method", ["bh", "by"])
def test_adjusted_p_values_agree_with_scipy_when_adjusted(method: str) -> None:
    raw = [0.001, 0.02, 0.03, 0.5]
    expected = stats.false_discovery_control(raw, method=method)  # type: ignore[call-overload]
    assert adjusted_p_values(raw, method) == pytest.approx(list(expected))  # type: ignore[arg-type]


def test_adjusted_p_values_are_empty_when_nothing_was_asked() -> None:
    assert adjusted_p_values([]) == []


@given(st.lists(st.floats(0.05, 1.0), min_size=2, max_size=6))
def test_partial_conjunction_holds_when_one_day_is_wild(others: list[float]) -> None:
    assert partial_conjunction_p_value([1e-300, *others], 2) >= min(others)


def test_partial_conjunction_is_small_when_two_days_agree() -> None:
    assert partial_conjunction_p_value([1e-6, 0.9, 1e-5], 2) == pytest.approx(2e-5)


def test_partial_conjunction_refuses_when_rule_is_impossible() -> None:
    with pytest.raises(ValueError, match="at_least"):
        partial_conjunction_p_value([0.1], 2)


def test_days_without_events_are_no_days_of_a_baseline() -> None:
    """They say nothing, and no division by their size is heard of."""
    weekdays = np.arange(28) % 7
    size = np.where(np.arange(28) % 9 == 3, 0, 1000)
    bad = np.where(weekdays >= 5, 60, 10) * (size > 0)
    with np.errstate(all="raise"):
        found = share_baseline(bad, size, weekdays)
    without = share_baseline(bad[size > 0], size[size > 0], weekdays[size > 0])
    assert (found.season, found.n_days) == ("weekend", 25)
    assert found.n_bad.tolist() == without.n_bad.tolist()
