"""One object from raw rows to files: deduplicate, guard, convert, and write the books."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

import pyarrow as pa

from include.freezeline.contracts.columns import Table
from include.freezeline.contracts.lake_sealed import SEALED
from include.freezeline.erasure.tombstones import Tombstones
from include.freezeline.errors import ReadError
from include.freezeline.landing.arrival import night_of
from include.freezeline.landing.columns import Misfit, by_date, edited, to_arrow, utc_date
from include.freezeline.landing.erased import ErasedRows
from include.freezeline.landing.guard import Guard
from include.freezeline.landing.plan import DueObject
from include.freezeline.landing.quarantine import outline_of, quarantine_rows
from include.freezeline.landing.records import (
    COLLAPSED,
    LANDED,
    LATE,
    REFUSED,
    REPEATED,
    WHOLE_OBJECT,
    Books,
    Fates,
    Found,
    ReadAtOnce,
    Reading,
    Refusal,
    RejectLike,
    Row,
    Stream,
    commonest_reason,
)
from include.freezeline.landing.repeats import RepeatFinder
from include.freezeline.landing.scopes import FIELDS_DROPPED, FIELDS_SCANNED, Scopes, Tally

_ORDINAL = frozenset({"source_offset"})
_TIMED_BY_ARRIVAL = frozenset({"message_contents"})  # uploaded content carries no time


@dataclass(frozen=True, slots=True)
class Delivery:
    """An object's identity as its rows carry it.

    Attributes:
        due: What the plan knows of it.
        sha256: Hash of its bytes, hex.
    """

    due: DueObject
    sha256: str

    @property
    def night_as_of(self) -> datetime:
        """End of the night the object belongs to, whenever it is landed."""
        return night_of(self.due.arrived_at)


class Sink(Protocol):
    """Where an object's rows go while it is read."""

    def add(self, table: Table, event_date: date, data: pa.Table) -> None:
        """Take rows of one table and date; more of them may follow."""

    def edit(self, change: Callable[[pa.Table], pa.Table]) -> None:
        """Change or drop rows among all that were taken."""


class RowSealer(Protocol):
    """Seals the originals of one object's rows."""

    @property
    def day(self) -> date:
        """The day whose key seals them."""

    def seal(
        self, table: Table, rows: Sequence[Row], data: pa.Table, event_column: str
    ) -> pa.Table:
        """Return sealed rows for the raw rows, and the same rows as they are written."""


class Pile:
    """A sink that keeps everything in memory."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.data: list[tuple[Table, date, pa.Table]] = []

    def add(self, table: Table, event_date: date, data: pa.Table) -> None:
        """Keep rows of one table and date."""
        self.data.append((table, event_date, data))

    def edit(self, change: Callable[[pa.Table], pa.Table]) -> None:
        """Change or drop rows."""
        self.data = [(table, event_date, change(data)) for table, event_date, data in self.data]


@dataclass(frozen=True, slots=True)
class ObjectResult:
    """The books of one object, whose rows went to the sink.

    Attributes:
        quarantine: Rows of the quarantine table.
        redaction_counts: Rows of the redaction counts table.
        ledger: The ledger row, to be written last.
    """

    quarantine: tuple[Row, ...]
    redaction_counts: tuple[Row, ...]
    ledger: Row


@dataclass(slots=True)
class _Desk:
    """Everything gathered while an object's batches are worked through."""

    delivery: Delivery
    guard: Guard
    sink: Sink
    scopes: Scopes
    tally: Tally = field(default_factory=Counter)
    repeats: dict[str, RepeatFinder] = field(default_factory=dict)
    rejects: list[RejectLike] = field(default_factory=list)
    fates: Fates = field(default_factory=Fates)
    erased: ErasedRows | None = None
    sealer: RowSealer | None = None

    @property
    def constants(self) -> Row:
        """What all rows of the object share."""
        due = self.delivery.due
        return {
            "source_object": due.key,
            "source_sha256": self.delivery.sha256,
            "arrived_at": due.arrived_at,
        }


def process_object(
    reading: Reading,
    delivery: Delivery,
    guard: Guard,
    sink: Sink,
    tombstones: Tombstones | None = None,
    sealer: RowSealer | None = None,
) -> ObjectResult:
    """Turn what a reader finds into rows for the lake, batch by batch, and into books.

    Args:
        reading: What a reader finds.
        delivery: The object.
        guard: What may be written of a row.
        sink: Where rows go.
        tombstones: What was erased and may not come back; None when nothing was.
        sealer: Seals originals; None when none are kept.

    Raises:
        AccountingError: The reader lost or invented records.
        ReadError: The reader found at its end that nothing of the object can be used.
    """
    desk = _Desk(delivery, guard, sink, guard.scopes(), sealer=sealer)
    if tombstones is not None:
        desk.erased = ErasedRows(tombstones, desk.fates)
    for batch in reading.batches():
        desk.rejects.extend(batch.rejects)
        for stream in batch.streams:
            if stream.rows:
                _work_through(desk, stream, is_last=batch.is_last)
    found = reading.found()
    desk.fates.mark((reject.offset for reject in desk.rejects), REFUSED)
    if found.edits is not None:
        edits = found.edits
        desk.fates.mark(edits.dropped, COLLAPSED)
        sink.edit(lambda data: edited(data, edits))
    last_edit = desk.erased.last_edit() if desk.erased is not None else None
    if last_edit is not None:
        sink.edit(last_edit)
    books = desk.fates.settle(delivery.due.key, found.n_records)
    quarantine = quarantine_rows(
        desk.rejects, delivery.due, delivery.sha256, delivery.night_as_of, guard, desk.tally
    )
    if desk.erased is not None:
        quarantine = desk.erased.without_quotes(quarantine)
    ledger = _ledger_row(found, desk, books)
    return ObjectResult(quarantine, tuple(_count_rows(delivery.due, desk.tally)), ledger)


def _work_through(desk: _Desk, stream: Stream, *, is_last: bool) -> None:
    """Deduplicate, guard and convert rows of one table, and note what became of their records."""
    finder = desk.repeats.setdefault(stream.table.name, RepeatFinder(stream.key))
    kept, repeats = finder.split(stream.rows, is_last=is_last)
    desk.fates.mark((row["source_offset"] for row in repeats), REPEATED)
    if not kept:
        return
    if stream.table.name in _TIMED_BY_ARRIVAL:
        for row in kept:
            row[stream.event_column] = row[stream.event_column] or desk.delivery.due.arrived_at
    constants = desk.constants
    columns = desk.guard.guard_columns(
        stream.table, kept, desk.scopes, desk.tally, without=constants.keys()
    )
    data, misfits = to_arrow(stream.table, columns, constants, stream.event_column)
    desk.rejects.extend(_refusals(kept, misfits))
    if desk.sealer is not None:
        _seal(desk, desk.sealer, stream, _without_misfits(kept, misfits), data)
    if desk.erased is not None:
        data = desk.erased.without(data, stream.event_column)
    arrival_date = utc_date(desk.delivery.due.arrived_at)
    for event_date, rows in by_date(data, stream.event_column):
        offsets = rows["source_offset"].to_pylist()
        desk.fates.mark(offsets, LANDED | LATE if event_date < arrival_date else LANDED)
        desk.sink.add(stream.table, event_date, rows)


def _seal(
    desk: _Desk, sealer: RowSealer, stream: Stream, kept: Sequence[Row], data: pa.Table
) -> None:
    """Add the sealed originals of rows, but those of erased people."""
    sealed = sealer.seal(stream.table, kept, data, stream.event_column)
    if desk.erased is not None:
        sealed = desk.erased.without(sealed, "event_at")
    if sealed.num_rows:
        desk.sink.add(SEALED, sealer.day, sealed)


def _without_misfits(rows: list[Row], misfits: Sequence[Misfit]) -> list[Row]:
    """Return the rows that fit the contract, in their order."""
    numbers = {misfit.number for misfit in misfits}
    return [row for number, row in enumerate(rows) if number not in numbers]


def _refusals(rows: list[Row], misfits: Iterable[Misfit]) -> Iterable[Refusal]:
    """Yield the refusals of rows that do not fit the contract."""
    for misfit in misfits:
        yield Refusal(int(rows[misfit.number]["source_offset"]), misfit.reason)


def process_unreadable(
    error: ReadError, data: bytes, delivery: Delivery, guard: Guard
) -> ObjectResult:
    """Put a whole object aside; the books count it as one record, since its own are unknown."""
    message = str(error)
    detail = message if message != error.reason else f"{len(data)} bytes"
    refusal = Refusal(WHOLE_OBJECT, error.reason, detail, outline_of(data))
    nothing = ReadAtOnce(Found("unknown", "unknown", 1), rejects=(refusal,))
    return process_object(nothing, delivery, guard, Pile())


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
        "dialect": ",".join(found.dialects) or None,
        "status": status,
        "record_count": books.n_records,
        "landed_count": books.n_landed,
        "duplicate_count": books.n_duplicates,
        "quarantined_count": books.n_quarantined,
        "late_count": books.n_late,
        "collapsed_count": books.n_collapsed,
        "erased_count": books.n_erased,
        "redaction_count": _n_redactions(desk.tally),
        "night_as_of": desk.delivery.night_as_of,
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
