"""From the rows a reader found to the files and books of one object."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Protocol

import pyarrow as pa

from include.freezeline.contracts.arrow import arrow_field, arrow_schema
from include.freezeline.contracts.columns import Table
from include.freezeline.errors import AccountingError

WHOLE_OBJECT = -1
Row = dict[str, Any]


class RejectLike(Protocol):
    """A record that a reader could not turn into a row."""

    @property
    def offset(self) -> int:
        """Ordinal of the record in the object."""

    @property
    def reason(self) -> str:
        """Short code."""

    @property
    def detail(self) -> str | None:
        """What was found and expected, raw."""

    @property
    def sample(self) -> str | None:
        """First characters of the record, raw."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record put aside by landing itself."""

    offset: int
    reason: str
    detail: str | None = None
    sample: str | None = None


@dataclass(frozen=True, slots=True)
class Books:
    """The count of an object's records; every record is in exactly one of the three."""

    n_records: int
    n_landed: int
    n_duplicates: int
    n_quarantined: int
    n_late: int


@dataclass(frozen=True, slots=True)
class Stream:
    """Raw rows of one table that a reader found in an object.

    Attributes:
        table: Their contract.
        key: Columns that say what a row is about; identical rows of one key are repeats.
        event_column: The row's event time; its UTC date is the partition.
        rows: Values by column name, each with the ``source_offset`` of its record.
    """

    table: Table
    key: tuple[str, ...]
    event_column: str
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Found:
    """All that a reader found in an object."""

    format: str
    signal: str
    n_records: int
    streams: tuple[Stream, ...]
    rejects: tuple[RejectLike, ...]


def drop_repeats(
    rows: Iterable[Row], key: Sequence[str], ignore: frozenset[str]
) -> tuple[list[Row], list[Row]]:
    """Split rows into first copies and identical repeats.

    Rows that share the key but differ in content are all kept: staging picks the richest.

    Args:
        rows: In the object's order.
        key: Columns that identify what a row is about.
        ignore: Columns in which copies may differ (the ordinal).
    """
    seen: dict[tuple[Any, ...], set[frozenset[tuple[str, Any]]]] = {}
    kept: list[Row] = []
    repeats: list[Row] = []
    for row in rows:
        earlier = seen.setdefault(tuple(row.get(name) for name in key), set())
        content = _content(row, ignore)
        if content in earlier:
            repeats.append(row)
        else:
            earlier.add(content)
            kept.append(row)
    return kept, repeats


def _content(row: Row, ignore: frozenset[str]) -> frozenset[tuple[str, Any]]:
    """Return what a row says in a form that has a hash; null says no more than a missing value."""
    return frozenset(
        (name, _hashable(value))
        for name, value in row.items()
        if value is not None and name not in ignore
    )


def _hashable(value: Any) -> Any:
    """Return a value with its lists and mappings as tuples."""
    if isinstance(value, list):
        return tuple(_hashable(item) for item in value)
    if isinstance(value, dict):
        return tuple(sorted((str(name), _hashable(item)) for name, item in value.items()))
    return value


def to_arrow_by_date(
    stream: Stream, rows: Sequence[Row]
) -> tuple[dict[date, pa.Table], list[tuple[Row, str]]]:
    """Convert a stream's guarded rows to Arrow, one table per UTC event date, in their order.

    Returns:
        The tables by date, and the rows that do not fit the contract, each with what was wrong.
    """
    by_date: dict[date, pa.Table] = {}
    refused: list[tuple[Row, str]] = []
    groups: dict[date, list[Row]] = {}
    for row in rows:
        moment = row.get(stream.event_column)
        if isinstance(moment, datetime):
            groups.setdefault(utc_date(moment), []).append(row)
        else:
            refused.append((row, f"missing_value:{stream.event_column}"))
    for event_date in sorted(groups):
        data, bad = _convert(stream.table, groups[event_date])
        refused.extend(bad)
        if data.num_rows:
            by_date[event_date] = data
    return by_date, refused


def utc_date(moment: datetime) -> date:
    """Return the UTC date of an instant."""
    return moment.astimezone(UTC).date()


def _convert(table: Table, rows: Sequence[Row]) -> tuple[pa.Table, list[tuple[Row, str]]]:
    """Convert all rows at once; only when that fails, find out which row is to blame."""
    schema = arrow_schema(table)
    required = [column.name for column in table.columns if not column.nullable]
    if all(row[name] is not None for row in rows for name in required):
        try:
            return pa.Table.from_pylist(list(rows), schema=schema), []
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            pass
    good: list[Row] = []
    bad: list[tuple[Row, str]] = []
    for row in rows:
        problem = _problem_of(table, row)
        if problem is None:
            good.append(row)
        else:
            bad.append((row, problem))
    return pa.Table.from_pylist(good, schema=schema), bad


def _problem_of(table: Table, row: Row) -> str | None:
    """Return the reason code of the first column whose value does not fit, or None."""
    for column in table.columns:
        value = row[column.name]
        if value is None:
            if not column.nullable:
                return f"missing_value:{column.name}"
            continue
        try:
            pa.array([value], type=arrow_field(column).type)
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            return f"bad_value:{column.name}"
    return None


def settle_books(
    key: str,
    n_records: int,
    landed: Iterable[int],
    repeats: Iterable[int],
    rejects: Iterable[int],
    n_late: int,
) -> Books:
    """Count each record once, and refuse books that do not add up.

    A record may give several rows (a span and its evaluations) and may lose one of them: it
    counts as landed when any row of it is in the lake, else as a duplicate when any row of it
    repeats another, else as quarantined.

    Args:
        key: The object, for the message.
        n_records: Records the reader found.
        landed: Ordinals of the records of rows in the lake.
        repeats: Ordinals of the records of repeated rows.
        rejects: Ordinals of the records put aside.
        n_late: Landed records whose event date is before the arrival date.

    Raises:
        AccountingError: A record is unaccounted for, or counted that was not there.
    """
    is_landed = set(landed)
    is_repeat = set(repeats) - is_landed
    is_reject = set(rejects) - is_landed - is_repeat
    total = len(is_landed) + len(is_repeat) + len(is_reject)
    if total != n_records:
        message = (
            f"{key}: {n_records} records read, but {len(is_landed)} landed + {len(is_repeat)} "
            f"duplicates + {len(is_reject)} quarantined = {total}; the reader of this format "
            "loses or invents records (report it with the object)"
        )
        raise AccountingError(message)
    return Books(n_records, len(is_landed), len(is_repeat), len(is_reject), n_late)


def commonest_reason(reasons: Iterable[str]) -> str | None:
    """Return the reason given most often, the first in the alphabet on a tie."""
    counts = Counter(reasons)
    return min(counts, key=lambda reason: (-counts[reason], reason)) if counts else None
