"""Arrival times are read from keys."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.freezeline.landing.arrival import arrival_of, parse_arrival

MICROSECOND = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("key", "end"),
    [
        ("t/year=2026/month=10/day=12/hour=23/minute=59/traces_1.json", "2026-10-13T00:00"),
        ("t/year=2026/month=10/day=12/hour=05/collector_traces_1.json", "2026-10-12T06:00"),
        ("t/year=2026/month=10/day=12/a.json", "2026-10-13T00:00"),
        ("facts/escalations/dt=2026-10-12/escalations.csv", "2026-10-13T00:00"),
        ("env/dev/otel/2026/11/14/17/gw1-traces.json.gz", "2026-11-14T18:00"),
        ("llm-logs/proxy/logs/2026-11-20/19/batch.jsonl", "2026-11-20T20:00"),
        ("llm-logs/litellm/2026-11-20/time-19-50.json", "2026-11-21T00:00"),
    ],
)
def test_arrival_is_the_last_instant_of_the_partition(key: str, end: str) -> None:
    expected = datetime.fromisoformat(end).replace(tzinfo=UTC) - MICROSECOND
    assert parse_arrival(key) == expected


@pytest.mark.parametrize(
    "key",
    [
        "spans.jsonl",
        "t/year=2026/month=13/day=01/a.json",
        "data-2026-11-14T20-09-59.zst",
        "9999/99/99/a",
    ],
)
def test_arrival_is_the_modification_time_when_the_key_names_none(key: str) -> None:
    modified_at = datetime(2026, 10, 1, 4, tzinfo=UTC)
    assert parse_arrival(key) is None
    assert arrival_of(key, modified_at) == modified_at


@given(st.dates(date(2000, 1, 1), date(9998, 12, 31)))
def test_arrival_of_a_day_belongs_to_the_night_that_ends_it(day: date) -> None:
    arrived_at = parse_arrival(f"facts/x/dt={day}/x.csv")
    assert arrived_at is not None
    next_midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    assert next_midnight - timedelta(days=1) <= arrived_at < next_midnight


@given(st.text(max_size=80))
def test_arrival_parsing_never_fails_when_keys_are_arbitrary(key: str) -> None:
    arrived_at = parse_arrival(f"{key}/x")
    assert arrived_at is None or arrived_at.tzinfo is UTC
