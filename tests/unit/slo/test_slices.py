"""Slices judged as events, and windows of the calendar."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from include.freezeline.slo.catalogue import Slo, load_slo
from include.freezeline.slo.evaluation import evaluate
from include.freezeline.slo.events import NEVER_US, Events
from include.freezeline.slo.methods import evaluate_slices
from include.freezeline.slo.slices import Slices, slice_events
from include.freezeline.slo.windows import HOUR_US, rolling_window, to_us
from tests.unit.slo.builders import AS_OF, events_at

WINDOW = rolling_window(AS_OF, timedelta(hours=48))
HOURLY = Slices(HOUR_US, Fraction(1, 2), "lt", "1h")
SHIPPED = Path("include/config/slos/hard-error-rate.yml")


def slo_with(tmp_path: Path, **spec: object) -> Slo:
    """Return the shipped SLO of failing calls with another window or method."""
    document = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    document["spec"].update(spec)
    path = tmp_path / SHIPPED.name
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return load_slo(path)


@given(st.lists(st.tuples(st.floats(0.01, 47.9), st.booleans()), min_size=1, max_size=60))
def test_slices_agree_with_the_method_of_the_cases(drawn: list[tuple[float, bool]]) -> None:
    events = events_at([hours for hours, _ in drawn], [bad for _, bad in drawn])
    cut = slice_events(events, HOURLY, WINDOW, to_us(AS_OF))
    whole = evaluate_slices(events, WINDOW, HOUR_US, Fraction(1, 2), Fraction(9, 10), to_us(AS_OF))
    n_bad = int(cut.is_bad(to_us(AS_OF)).sum())
    assert (len(cut), n_bad) == (whole.n_slices - whole.n_empty_slices, whole.n_bad_slices)


def test_slice_at_its_limit_is_bad_only_where_the_limit_must_not_be_reached() -> None:
    events = events_at([1.5, 1.4], [True, False])
    at_most = Slices(HOUR_US, Fraction(1, 2), "lte", "1h")
    n_bad = [
        int(slice_events(events, each, WINDOW, to_us(AS_OF)).is_bad(to_us(AS_OF)).sum())
        for each in (HOURLY, at_most)
    ]
    assert n_bad == [1, 0]


def test_no_traffic_has_no_slices_and_no_verdict(tmp_path: Path) -> None:
    slo = slo_with(
        tmp_path,
        budgetingMethod="Timeslices",
        objectives=[
            {
                "displayName": "x",
                "target": 0.995,
                "timeSliceTarget": 0.5,
                "timeSliceWindow": "1h",
            }
        ],
    )
    nothing = np.empty(0, dtype=np.int64)
    evaluation = evaluate(slo, Events.of(nothing, nothing), "f", "production", AS_OF)
    assert evaluation.verdict == "insufficient_evidence"
    hours = [float(h) + 0.5 for h in range(28 * 24)]
    quiet = evaluate(slo, events_at(hours, [False] * len(hours)), "f", "production", AS_OF)
    assert (quiet.verdict, quiet.budget.counts.n_all) == ("ok", 672)
    thin = evaluate(slo, events_at(hours[:40], [False] * 40), "f", "production", AS_OF)
    assert (thin.verdict, thin.budget.counts.n_all) == ("insufficient_evidence", 40)
    outage = evaluate(slo, events_at(hours, [h < 12 for h in hours]), "f", "production", AS_OF)
    assert outage.verdict == "breach"
    assert (outage.budget.counts.n_bad, outage.consumed_lower) == (
        12,
        Fraction(12) / Fraction(336, 100),
    )


@pytest.mark.parametrize(
    ("as_of", "n_events"),
    [
        # Berlin's last Sunday of October 2026 has 25 hours: 22:00Z to 23:00Z.
        (datetime(2026, 10, 25, 22, tzinfo=UTC), 24),  # it is not over, so Saturday
        (datetime(2026, 10, 25, 23, tzinfo=UTC), 25),
        (datetime(2026, 10, 26, 0, tzinfo=UTC), 25),  # its night
        (datetime(2026, 10, 27, 0, tzinfo=UTC), 24),
    ],
)
def test_calendar_day_is_the_local_one(tmp_path: Path, as_of: datetime, n_events: int) -> None:
    calendar = {"startTime": "2026-01-01 00:00:00", "timeZone": "Europe/Berlin"}
    slo = slo_with(
        tmp_path, timeWindow=[{"duration": "1d", "isRolling": False, "calendar": calendar}]
    )
    start = to_us(datetime(2026, 10, 20, tzinfo=UTC))
    at_us = start + HOUR_US * np.arange(24 * 10, dtype=np.int64)
    events = Events.of(at_us, np.full(len(at_us), NEVER_US))
    evaluation = evaluate(slo, events, "f", "production", as_of)
    assert evaluation.budget.counts.n_all == n_events
    assert slo.window_text == "1d in Europe/Berlin"


def test_calendar_month_is_judged_to_its_last_hour(tmp_path: Path) -> None:
    calendar = {"startTime": "2026-01-01 00:00:00", "timeZone": "Europe/Berlin"}
    slo = slo_with(
        tmp_path, timeWindow=[{"duration": "1M", "isRolling": False, "calendar": calendar}]
    )
    at_us = to_us(datetime(2026, 9, 1, tzinfo=UTC)) + HOUR_US * np.arange(24 * 70, dtype=np.int64)
    events = Events.of(at_us, np.full(len(at_us), NEVER_US))

    def n_on(day: int) -> int:
        as_of = datetime(2026, 11, day, tzinfo=UTC)
        return evaluate(slo, events, "f", "production", as_of).budget.counts.n_all

    assert n_on(1) == 31 * 24 + 1  # October, with its hour more
    assert n_on(2) == 25  # the first of November, and what is known of the second


def test_calendar_month_starts_with_a_new_budget(tmp_path: Path) -> None:
    calendar = {"startTime": "2026-01-01 00:00:00", "timeZone": "UTC"}
    slo = slo_with(
        tmp_path, timeWindow=[{"duration": "1M", "isRolling": False, "calendar": calendar}]
    )
    at_us = to_us(datetime(2026, 10, 1, tzinfo=UTC)) + HOUR_US * np.arange(24 * 40, dtype=np.int64)
    is_october = at_us < to_us(datetime(2026, 11, 1, tzinfo=UTC))
    events = Events.of(at_us, np.where(is_october, at_us, NEVER_US))
    spent = evaluate(slo, events, "f", "production", datetime(2026, 11, 1, tzinfo=UTC))
    fresh = evaluate(slo, events, "f", "production", datetime(2026, 11, 2, tzinfo=UTC))
    assert (spent.budget.counts.n_bad, spent.budget.counts.n_all) == (744, 744)
    assert (fresh.budget.counts.n_bad, fresh.budget.counts.n_all) == (0, 24)


@pytest.mark.parametrize(("n_bad", "expected"), [(15, 0), (10, 24), (6, 216), (5, None)])
def test_calendar_month_is_spent_when_its_bad_events_reach_its_growing_budget(
    tmp_path: Path, n_bad: int, expected: int | None
) -> None:
    """Two good days, then one at some pace; 5 of a day's 1,000 events may be bad."""
    calendar = {"startTime": "2026-01-01 00:00:00", "timeZone": "UTC"}
    slo = slo_with(
        tmp_path, timeWindow=[{"duration": "1M", "isRolling": False, "calendar": calendar}]
    )
    start, day = to_us(datetime(2026, 10, 1, tzinfo=UTC)), 24 * HOUR_US
    n_daily = 1000
    at_us = start + np.arange(3 * n_daily, dtype=np.int64) * (day // n_daily)
    bad = np.full(len(at_us), NEVER_US)
    bad[-n_bad:] = at_us[-n_bad:]
    found = evaluate(slo, Events.of(at_us, bad), "f", "p", datetime(2026, 10, 4, tzinfo=UTC))
    assert found.time_to_exhaustion_h == expected
