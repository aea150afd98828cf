"""Budgets of sampled calls: right ratios, and no more certainty than the rows that were seen."""

from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.freezeline.slo.budget import Budget, Objective, evaluate_budget
from include.freezeline.slo.catalogue import load_slo
from include.freezeline.slo.evaluation import daily_counts, evaluate, group_counts
from include.freezeline.slo.events import NEVER_US, Events, whole_weights
from include.freezeline.slo.evidence import weigh
from include.freezeline.slo.maturity import nowcast_bad_upper
from include.freezeline.slo.windows import HOUR_US, rolling_window, to_us
from include.freezeline.slo.wording import explain
from tests.unit.slo.builders import AS_OF

LIMIT = Fraction(1, 100)
LAG = timedelta(hours=72)


def weighted(bad: Sequence[bool], weights: Sequence[int]) -> Events:
    """Return events an hour apart, the last one an hour ago."""
    n = len(bad)
    at_us = to_us(AS_OF) - HOUR_US * np.arange(n, 0, -1, dtype=np.int64)
    known = np.where(np.array(bad, dtype=bool), at_us, NEVER_US)
    return Events.of(at_us, known, weight=np.array(weights, dtype=np.int64))


def repeated(bad: Sequence[bool], weights: Sequence[int]) -> Events:
    """Return each event as often as it weighs, all at its time."""
    events = weighted(bad, weights)
    again = np.repeat(np.arange(len(events)), events.weight)
    return Events.of(events.at_us[again], events.bad_known_at_us[again])


def budget_of(events: Events) -> Budget:
    """Evaluate a budget of 28 days."""
    return evaluate_budget(
        events, Objective(LIMIT, maturity_lag=LAG), rolling_window(AS_OF, timedelta(days=28)), AS_OF
    )


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 50)), min_size=1, max_size=60))
def test_counts_are_those_of_the_calls_that_rows_stand_for(rows: list[tuple[bool, int]]) -> None:
    bad, weights = zip(*rows, strict=True)
    few, many = budget_of(weighted(bad, weights)), budget_of(repeated(bad, weights))
    for name in ("counts", "mature", "last_day"):
        a, b = getattr(few, name), getattr(many, name)
        assert (a.n_bad, a.n_all) == (b.n_bad, b.n_all)
    assert few.n_pending == many.n_pending
    assert few.burn_rates == many.burn_rates
    assert few.worst_exact == many.worst_exact
    codes = np.arange(len(bad)) % 2
    found = group_counts(weighted(bad, weights), codes, 2, to_us(AS_OF))
    assert sum(group.n_all for group in found) == sum(weights)


def test_weight_of_one_changes_nothing() -> None:
    bad = [i % 9 == 0 for i in range(100)]
    plain = weighted(bad, [1] * 100)
    found = budget_of(plain)
    assert found.counts.as_evidence == (12, 100)
    assert found.evidence == weigh(12, 100, LIMIT)
    days = daily_counts(plain, to_us(AS_OF), to_us(AS_OF))
    assert [sum(column) for column in zip(*days, strict=True)] == [12, 100]


def test_evenly_sampled_calls_prove_no_more_than_the_rows_seen() -> None:
    bad = [i % 20 == 0 for i in range(100)]
    found = budget_of(weighted(bad, [10] * 100))
    assert (found.counts.n_bad, found.counts.n_all) == (50, 1000)
    assert found.counts.as_evidence == pytest.approx((5, 100))
    assert found.evidence.interval == pytest.approx(weigh(5, 100, LIMIT).interval)


def test_failures_that_are_all_kept_prove_what_they_are() -> None:
    # every failure is kept, and one success of a hundred: 4 of 9,604 fail, not 4 of 100
    bad = [i % 25 == 0 for i in range(100)]
    found = budget_of(weighted(bad, [1 if is_bad else 100 for is_bad in bad]))
    assert found.counts.ratio == Fraction(4, 9604)
    assert found.counts.as_evidence == (4, 9604)
    assert found.bounds != "BREACH"


def test_nowcast_of_sampled_calls_scales_and_is_no_surer() -> None:
    bad = [i % 10 == 0 for i in range(240)]
    plain = nowcast_bad_upper(weighted(bad, [1] * 240), LAG, to_us(AS_OF))
    sampled = nowcast_bad_upper(weighted(bad, [10] * 240), LAG, to_us(AS_OF))
    assert float(sampled) == pytest.approx(10 * float(plain), rel=1e-3)


def test_broken_weights_become_whole_ones_that_add_up() -> None:
    at_us = to_us(AS_OF) - 1_234_567 * np.arange(100_000, dtype=np.int64)
    found = whole_weights(np.full(100_000, 10 / 3), at_us)
    assert set(found.tolist()) == {3, 4}
    assert found.mean() == pytest.approx(10 / 3, rel=1e-3)
    assert (whole_weights(np.full(9, 7.0), at_us[:9]) == 7).all()
    half = whole_weights(np.full(50_000, 10 / 3), at_us[::2])
    assert (half == found[::2]).all(), "a weight depends on its event alone"


def test_too_few_seen_calls_are_said_to_be_few() -> None:
    """20 rows of 50 calls each: the limit allows 50 bad calls, and one bad row."""
    slo = load_slo(Path("include/config/slos/refusal-rate.yml"))
    found = evaluate(slo, weighted([False] * 20, [50] * 20), "f", "production", AS_OF)
    assert found.verdict == "insufficient_evidence"
    assert explain(found).endswith(
        "too few events to judge (the limit allows 1.0 bad of those 20 seen, it takes 5)"
    )
