"""The nowcast of late outcomes: what the window will end with, and how sure that is."""

from datetime import timedelta

import numpy as np
import pytest

from include.freezeline.slo.events import NEVER_US, Events
from include.freezeline.slo.maturity import nowcast_ratio
from include.freezeline.slo.windows import HOUR_US, to_us
from tests.unit.slo.builders import AS_OF, events_at, steady

LAG = timedelta(hours=72)
AS_OF_US = to_us(AS_OF)


def late(rng: np.random.Generator, n: int, rate: float) -> tuple[Events, float]:
    """Return a fortnight of calls as known now, and the ratio they end with."""
    at_us = AS_OF_US - np.sort(rng.integers(0, 14 * 24 * HOUR_US, n))[::-1]
    is_bad = rng.random(n) < rate
    delay_us = (rng.beta(1.5, 3.0, n) * 72 * HOUR_US).astype(np.int64)
    known_us = np.where(is_bad, at_us + delay_us, NEVER_US)
    return Events.of(at_us, known_us).known_at(AS_OF_US), float(is_bad.mean())


def test_product_of_hazards_is_the_one_of_the_textbook() -> None:
    """Ages 10, 20, ... hours; bad after 5 (of 8 at risk) and after 25 hours (of 5 at risk)."""
    hours = [10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0]
    known = [NEVER_US, NEVER_US, 25, NEVER_US, 5, NEVER_US, NEVER_US, NEVER_US]
    at_us = AS_OF_US - np.array([round(h * HOUR_US) for h in hours])
    outcome = [
        NEVER_US if delay == NEVER_US else at + delay * HOUR_US
        for at, delay in zip(at_us.tolist(), known, strict=True)
    ]
    found = nowcast_ratio(Events.of(at_us, np.array(outcome)), LAG, AS_OF_US)
    assert found is not None
    assert found.ratio == pytest.approx(1 - (7 / 8) * (4 / 5))
    assert 0 < found.lower < found.ratio < found.upper < 1


def test_interval_covers_what_the_window_ends_with() -> None:
    rng = np.random.default_rng(11)
    hits = known_too_low = 0
    for _ in range(120):
        events, final = late(rng, 900, 0.05)
        found = nowcast_ratio(events, LAG, AS_OF_US)
        assert found is not None
        hits += found.lower <= final <= found.upper
        known_too_low += float(events.is_bad(AS_OF_US).mean()) < final
    assert hits >= 108  # 95% of 120 is 114; fewer than 108 has a chance of 1 in 50
    assert known_too_low > 100  # which is why there is a nowcast


def test_nothing_bad_yet_is_an_interval_of_the_final_calls() -> None:
    found = nowcast_ratio(steady(400, 10, 0), LAG, AS_OF_US)
    assert found is not None
    assert (found.ratio, found.lower) == (0.0, 0.0)
    assert 0.005 < found.upper < 0.02
    young = nowcast_ratio(events_at([1.0, 2.0], [False, False]), LAG, AS_OF_US)
    assert young is not None
    assert (young.lower, young.upper) == (0.0, 1.0)


def test_no_lag_no_events_and_uneven_samples_have_no_nowcast() -> None:
    nothing = np.empty(0, dtype=np.int64)
    assert nowcast_ratio(steady(10, 2, 2), None, AS_OF_US) is None
    assert nowcast_ratio(Events.of(nothing, nothing), LAG, AS_OF_US) is None
    events = steady(10, 2, 2)
    uneven = Events.of(
        events.at_us, events.bad_known_at_us, weight=np.arange(1, 11, dtype=np.int64)
    )
    assert nowcast_ratio(uneven, LAG, AS_OF_US) is None


def test_all_bad_has_an_interval_too() -> None:
    found = nowcast_ratio(steady(10, 10, 1), LAG, AS_OF_US)
    assert found is not None
    assert found.ratio == 1.0
    assert 0.5 < found.lower < found.upper <= 1.0
