"""Error budgets: exact counts, bounds and 24-hour looks."""

from datetime import timedelta
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.freezeline.slo.budget import Objective, evaluate_budget
from include.freezeline.slo.decision import decide_alone
from include.freezeline.slo.events import NEVER_US, Events
from include.freezeline.slo.rolling import worst_day
from include.freezeline.slo.windows import DAY_US, rolling_window, to_us
from tests.unit.slo.builders import AS_OF, events_at, steady

FIVE_PERCENT = Objective(Fraction("0.05"))
MONTH = timedelta(days=28)
AS_OF_US = to_us(AS_OF)


@pytest.mark.parametrize(("op", "state"), [("lt", "FROZEN"), ("lte", "WARNING")])
def test_budget_freezes_only_strict_limits_when_exactly_consumed(op: str, state: str) -> None:
    objective = Objective(Fraction("0.05"), op)
    budget = evaluate_budget(steady(400, 1, 20), objective, rolling_window(AS_OF, MONTH), AS_OF)
    assert budget.counts.n_bad == 20
    assert budget.consumed == 1
    assert decide_alone(budget).state == state


def test_budget_holds_state_when_there_are_no_events() -> None:
    budget = evaluate_budget(events_at([], []), FIVE_PERCENT, rolling_window(AS_OF, MONTH), AS_OF)
    assert budget.counts.ratio is None
    assert budget.evidence.interval is None
    assert decide_alone(budget, "FROZEN").state == "FROZEN"


def test_window_is_half_open_when_events_lie_on_its_ends() -> None:
    events = events_at([24.0, 0.0, 12.0], [True, True, False])
    budget = evaluate_budget(events, FIVE_PERCENT, rolling_window(AS_OF, timedelta(days=1)), AS_OF)
    assert (budget.counts.n_bad, budget.counts.n_all) == (1, 2)


def test_late_outcome_is_pending_until_known_when_label_has_a_lag() -> None:
    objective = Objective(Fraction("0.05"), maturity_lag=timedelta(hours=72))
    events = events_at([10.0, 80.0], [True, False], delay_h=20.0)
    window = rolling_window(AS_OF, MONTH)
    before = evaluate_budget(events, objective, window, AS_OF)
    assert (before.counts.n_bad, before.n_pending, before.mature.n_all) == (0, 1, 1)
    later = AS_OF + timedelta(hours=11)
    after = evaluate_budget(events, objective, rolling_window(later, MONTH), later)
    assert (after.counts.n_bad, after.n_pending) == (1, 0)


def test_event_is_unknown_when_it_arrived_after_as_of() -> None:
    at_us = np.array([AS_OF_US - DAY_US], dtype=np.int64)
    events = Events.of(at_us, np.array([NEVER_US]), at_us + 2 * DAY_US)
    budget = evaluate_budget(events, FIVE_PERCENT, rolling_window(AS_OF, MONTH), AS_OF)
    assert budget.counts.n_all == 0


def test_time_to_exhaustion_uses_what_remains_when_burning() -> None:
    budget = evaluate_budget(
        steady(2800, 28, 40), FIVE_PERCENT, rolling_window(AS_OF, MONTH), AS_OF
    )
    left_h = budget.time_to_exhaustion_h
    burn = budget.burn_rates[24]
    assert left_h is not None
    assert budget.consumed is not None
    assert burn
    assert left_h == (1 - budget.consumed) * 672 / burn


@given(
    st.lists(st.tuples(st.integers(0, 200), st.booleans()), min_size=1, max_size=40),
    st.integers(1, 5),
)
@settings(max_examples=200, deadline=None)
def test_worst_day_equals_brute_force_when_every_instant_is_tried(
    items: list[tuple[int, bool]], min_events: int
) -> None:
    events = events_at([hours / 2 for hours, _ in items], [bad for _, bad in items])
    known = events.known_at(AS_OF_US)
    start_us = AS_OF_US - 3 * DAY_US
    found = worst_day(known, min_events, start_us, AS_OF_US)
    best = _brute_force(known, min_events, start_us)
    if best is None:
        assert found is None
        return
    assert found is not None
    assert Fraction(found.n_bad, found.n_all) == best


def _brute_force(known: Events, min_events: int, start_us: int) -> Fraction | None:
    """Try a window end one microsecond round every moment where something may change."""
    moments = {start_us, AS_OF_US}
    for at_us in known.at_us.tolist():
        for base in (at_us, at_us + DAY_US):
            moments |= {base - 1, base, base + 1}
    best: Fraction | None = None
    for end_us in moments:
        if not start_us <= end_us <= AS_OF_US:
            continue
        inside = (known.at_us >= end_us - DAY_US) & (known.at_us < end_us)
        n_all = int(inside.sum())
        if n_all < min_events:
            continue
        ratio = Fraction(int((inside & known.is_bad(AS_OF_US)).sum()), n_all)
        best = ratio if best is None else max(best, ratio)
    return best


@given(st.integers(1, 500), st.integers(0, 500), st.integers(0, 500))
def test_bounds_enclose_the_final_share_when_pending_events_turn_out(
    n_good: int, n_bad: int, n_turned: int
) -> None:
    objective = Objective(Fraction("0.05"), maturity_lag=timedelta(hours=72))
    young = [1.0] * n_turned
    events = events_at(
        [100.0] * (n_good + n_bad) + young, [False] * n_good + [True] * n_bad + [False] * n_turned
    )
    budget = evaluate_budget(events, objective, rolling_window(AS_OF, MONTH), AS_OF)
    assert budget.counts.n_bad == n_bad
    assert budget.n_pending == n_turned
    assert budget.consumed is not None
    assert budget.consumed_upper is not None
    assert budget.consumed <= budget.consumed_upper
