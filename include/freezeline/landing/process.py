"""One object from raw rows to files: deduplicate, guard, convert, and write the books."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

import pyarrow as pa

from include.freezeline.contracts.columns import Table
from include.freezeline.errors import ReadError
from include.freezeline.landing.guard import FIELDS_DROPPED, FIELDS_SCANNED, Guard, Scope, Tally
from include.freezeline.landing.plan import DueObject
from include.freezeline.landing.quarantine import outline_of, quarantine_rows
from include.freezeline.landing.records import (
    WHOLE_OBJECT,
    Books,
    Found,
    Refusal,
    RejectLike,
    Row,
    Stream,
    commonest_reason,
    drop_repeats,
    settle_books,
    to_arrow_by_date,
    utc_date,
)

_ORDINAL = frozenset({"source_offset"})
_NO_TRACE = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """An object's identity as its rows carry it.

    Attributes:
        due: What the plan knows of it.
        sha256: Hash of its bytes, hex.
        as_of: The run's end of knowledge.
    """

    due: DueObject
    sha256: str
    as_of: datetime


@dataclass(frozen=True, slots=True)
class ObjectResult:
    """What to write for one object.

    Attributes:
        data: Rows by table and event date.
        quarantine: Rows of the quarantine table.
        redaction_counts: Rows of the redaction counts table.
        ledger: The ledger row, to be written last.
    """

    data: tuple[tuple[Table, date, pa.Table], ...]
    quarantine: tuple[Row, ...]
    redaction_counts: tuple[Row, ...]
    ledger: Row


@dataclass(slots=True)
class _Desk:
    """Everything gathered while an object's streams are worked through."""

    delivery: Delivery
    guard: Guard
    tally: Tally = field(default_factory=Counter)
    scopes: dict[str, Scope] = field(default_factory=dict)
    data: list[tuple[Table, date, pa.Table]] = field(default_factory=list)
    rejects: list[RejectLike] = field(default_factory=list)
    landed: set[int] = field(default_factory=set)
    repeats: set[int] = field(default_factory=set)
    late: set[int] = field(default_factory=set)


def process_object(found: Found, delivery: Delivery, guard: Guard) -> ObjectResult:
    """Turn what a reader found into files and books.

    Raises:
        AccountingError: The reader lost or invented records.
    """
    desk = _Desk(delivery, guard, rejects=list(found.rejects))
    for stream in found.streams:
        _work_through(desk, stream)
    books = settle_books(
        delivery.due.key,
        found.n_records,
        desk.landed,
        desk.repeats,
        (reject.offset for reject in desk.rejects),
        len(desk.late),
    )
    quarantine = quarantine_rows(
        desk.rejects, delivery.due, delivery.sha256, delivery.as_of, guard, desk.tally
    )
    ledger = _ledger_row(found, desk, books)
    counts = tuple(_count_rows(delivery.due, desk.tally))
    return ObjectResult(tuple(desk.data), quarantine, counts, ledger)


def _work_through(desk: _Desk, stream: Stream) -> None:
    """Deduplicate, guard and convert one stream, and note what became of each record."""
    kept, repeats = drop_repeats(stream.rows, stream.key, _ORDINAL)
    desk.repeats.update(int(row["source_offset"]) for row in repeats)
    guarded = _guard_rows(desk, stream, kept)
    by_date, refused = to_arrow_by_date(stream, [row for _, row in guarded])
    desk.data.extend((stream.table, event_date, by_date[event_date]) for event_date in by_date)
    reasons = {id(row): reason for row, reason in refused}
    arrival_date = utc_date(desk.delivery.due.arrived_at)
    for offset, row in guarded:
        if id(row) in reasons:
            desk.rejects.append(Refusal(offset, reasons[id(row)]))
            continue
        desk.landed.add(offset)
        if utc_date(row[stream.event_column]) < arrival_date:
            desk.late.add(offset)


def process_unreadable(
    error: ReadError, data: bytes, delivery: Delivery, guard: Guard
) -> ObjectResult:
    """Put a whole object aside; the books count it as one record, since its own are unknown."""
    message = str(error)
    detail = message if message != error.reason else f"{len(data)} bytes"
    refusal = Refusal(WHOLE_OBJECT, error.reason, detail, outline_of(data))
    return process_object(Found("unknown", "unknown", 1, (), (refusal,)), delivery, guard)


def _guard_rows(desk: _Desk, stream: Stream, rows: Iterable[Row]) -> list[tuple[int, Row]]:
    """Make rows fit to be written; one redaction scope per trace of the object."""
    source = {
        "source_object": desk.delivery.due.key,
        "source_sha256": desk.delivery.sha256,
        "arrived_at": desk.delivery.due.arrived_at,
    }
    guarded: list[tuple[int, Row]] = []
    for row in rows:
        trace_id = str(row.get("trace_id") or _NO_TRACE)
        scope = desk.scopes.get(trace_id)
        if scope is None:
            scope = desk.scopes[trace_id] = desk.guard.new_scope()
        clean = desk.guard.guard_row(stream.table, {**row, **source}, scope, desk.tally)
        guarded.append((int(row["source_offset"]), clean))
    return guarded


def _status(books: Books) -> str:
    """Return the object's state."""
    if books.n_landed or books.n_duplicates:
        return "landed"
    return "quarantined" if books.n_quarantined else "empty"


def _ledger_row(found: Found, desk: _Desk, books: Books) -> Row:
    """Describe the object in the ledger."""
    due = desk.delivery.due
    status = _status(books)
    return {
        "source_object": due.key,
        "source_name": due.source_name,
        "etag": due.etag,
        "source_sha256": desk.delivery.sha256,
        "object_size_bytes": due.size_bytes,
        "arrived_at": due.arrived_at,
        "format": found.format,
        "signal": found.signal,
        "status": status,
        "record_count": books.n_records,
        "landed_count": books.n_landed,
        "duplicate_count": books.n_duplicates,
        "quarantined_count": books.n_quarantined,
        "late_count": books.n_late,
        "redaction_count": _n_redactions(desk.tally),
        "night_as_of": desk.delivery.as_of,
        "reason": _reason(status, desk),
    }


def _reason(status: str, desk: _Desk) -> str | None:
    """Say why an object gave nothing; null when it landed."""
    if status == "landed":
        return None
    reason = commonest_reason(reject.reason for reject in desk.rejects)
    return "no_records" if reason is None else desk.guard.guard_label(reason, Counter())


def _n_redactions(tally: Tally) -> int:
    """Count replaced values; the field counters are not values."""
    return sum(tally.values()) - tally[FIELDS_SCANNED] - tally[FIELDS_DROPPED]


def _count_rows(due: DueObject, tally: Tally) -> Iterable[Row]:
    """Give the redaction counts as rows, by entity type."""
    for entity_type in sorted(tally):
        if tally[entity_type]:
            yield {
                "source_object": due.key,
                "entity_type": entity_type,
                "value_count": tally[entity_type],
                "arrived_at": due.arrived_at,
            }
