"""How rows arrive in the lake of a very small company: what is written, by key and day."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from tests.dbt.tiny_lake import DAY, TinyLake

FIRST_DAY = DAY - timedelta(days=40)
Row = dict[str, Any]
Write = Callable[[TinyLake, datetime], None]
Arrival = tuple[int, Write]
"""The day something arrives on, and what it writes."""


def instant(day: int, hour: float) -> datetime:
    """Return an instant, by day and hour."""
    return FIRST_DAY + timedelta(days=day, hours=hour)


def known(row: Row, at: datetime) -> Row:
    """Return a row as it arrives at an instant."""
    return row | {"arrived_at": at}


def spans(key: str, rows: list[Row]) -> Write:
    """Return how an object of spans arrives."""
    return lambda lake, at: lake.spans(key, [known(row, at) for row in rows])


def evaluation(key: str, row: Row) -> Write:
    """Return how an evaluation arrives."""
    return lambda lake, at: lake.evaluations(key, [known({"carrier": "log_event"} | row, at)])


def fact(name: str, key: str, row: Row) -> Write:
    """Return how a fact arrives."""
    return lambda lake, at: lake.facts(name, key, [known(row, at)])


def counter(key: str, row: Row) -> Write:
    """Return how a counter's point arrives."""
    return lambda lake, at: lake.counters(key, [known(row, at)])
