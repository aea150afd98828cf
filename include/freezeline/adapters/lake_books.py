"""The books of the lake: one file per table and arrival date, whoever wrote into it and when.

``<lake>/<book>/dt=YYYY-MM-DD/part.parquet``, rows in order of their key, so that the same objects
give the same bytes in whatever order and however many runs they were landed. One process writes:
the workers hand their rows to the lead.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.freezeline.adapters.lake import Lake, object_hash
from include.freezeline.contracts.arrow import arrow_schema
from include.freezeline.contracts.columns import Table
from include.freezeline.contracts.lake import (
    BOOKS,
    LEDGER,
    LEDGER_NIGHTS,
    QUARANTINE,
    REDACTION_CANARIES,
    REDACTION_COUNTS,
)
from include.freezeline.landing.arrival import date_of
from include.freezeline.landing.books import ObjectBooks
from include.freezeline.landing.records import Row

_PART = "part"
_KEY = "source_object"
_RowsOf = Callable[[ObjectBooks], Sequence[Row]]
# The ledger comes last: an object without a ledger row is landed again.
_BOOKS: tuple[tuple[Table, _RowsOf], ...] = (
    (QUARANTINE, lambda books: books.quarantine),
    (REDACTION_COUNTS, lambda books: books.redaction_counts),
    (LEDGER, lambda books: (books.ledger,)),
)


class LakeBooks:
    """Reads and merges the books of a lake."""

    def __init__(self, lake: Lake) -> None:
        """Use the books of ``lake``."""
        self._lake = lake

    def ledger(
        self, dates: Iterable[date] | None = None, columns: Sequence[str] | None = None
    ) -> list[Row]:
        """Return the ledger's rows of some arrival dates.

        Args:
            dates: Arrival dates; all when None.
            columns: Columns to read; all when None.
        """
        chosen = self.ledger_dates() if dates is None else dates
        found = (self._read(LEDGER, day, columns) for day in chosen)
        return [row for data in found if data is not None for row in data.to_pylist()]

    def ledger_dates(self) -> list[date]:
        """Return the arrival dates that the ledger holds, in order."""
        return self._dates(LEDGER)

    def ledger_of(self, keys: Collection[str]) -> list[Row]:
        """Return the ledger rows of some objects, under whatever date they stand."""
        wanted = pa.array(sorted(keys), pa.string())
        rows: list[Row] = []
        for day in self.ledger_dates() if keys else ():
            held = self._read(LEDGER, day, [_KEY])
            if held is not None and pc.any(pc.is_in(held[_KEY], value_set=wanted)).as_py():
                data = self._read(LEDGER, day)
                rows += data.filter(pc.is_in(data[_KEY], value_set=wanted)).to_pylist()
        return rows

    def enter(self, landed: Sequence[ObjectBooks]) -> None:
        """Put the rows of landed objects into the books, in place of those of earlier versions."""
        moved = [books for books in landed if books.was_on not in (None, books.arrival_date)]
        for table, _ in _BOOKS:
            for day in sorted({books.was_on for books in moved if books.was_on is not None}):
                keys = [books.key for books in moved if books.was_on == day]
                self._merge(table, day, keys, ())
        for table, rows_of in _BOOKS:
            for day in sorted({books.arrival_date for books in landed}):
                here = [books for books in landed if books.arrival_date == day]
                rows = [row for books in here for row in rows_of(books)]
                self._merge(table, day, [books.key for books in here], rows)

    def note_erased(self, counts: Mapping[str, int]) -> None:
        """Add to the erased records of objects that are in the ledger already.

        Args:
            counts: Further records without a row, by object key.
        """
        rows = self.ledger_of(counts.keys())
        for day in sorted({date_of(row["arrived_at"]) for row in rows}):
            here = [row for row in rows if date_of(row["arrived_at"]) == day]
            for row in here:
                row["erased_count"] = (row.get("erased_count") or 0) + counts[row[_KEY]]
            self._merge(LEDGER, day, [row[_KEY] for row in here], here)

    def nights(self) -> list[Row]:
        """Return the rows of the ledger of nights."""
        path = self._nights_path()
        return pq.read_table(path, partitioning=None).to_pylist() if path.exists() else []

    def write_nights(self, rows: Sequence[Row]) -> None:
        """Write the ledger of nights, which is one file."""
        if rows:
            self._lake.write_rows(LEDGER_NIGHTS, rows, self._nights_path())

    def canaries(self) -> list[Row]:
        """Return the rows of the canaries."""
        path = self._canaries_path()
        return pq.read_table(path, partitioning=None).to_pylist() if path.exists() else []

    def write_canaries(self, rows: Sequence[Row]) -> None:
        """Write the rows of the canaries, which are one file."""
        self._lake.write_rows(REDACTION_CANARIES, rows, self._canaries_path())

    def recover(self) -> None:
        """Take away what a run that was cut off left without a ledger row.

        Its objects are landed again; this is for those that were deleted or changed meanwhile.
        """
        known: set[str] = set()
        for day in sorted({day for table, _ in _BOOKS for day in self._dates(table)}):
            held = self._read(LEDGER, day, [_KEY])
            keys = set() if held is None else set(held[_KEY].to_pylist())
            known.update(map(object_hash, keys))
            for table in (QUARANTINE, REDACTION_COUNTS):
                there = self._read(table, day, [_KEY])
                strays = set() if there is None else set(there[_KEY].to_pylist()) - keys
                self._merge(table, day, sorted(strays), ())
        for half in sorted(self._lake.root.glob("*/dt=*/*.parquet.*")):
            half.unlink()
        books = {table.name for table in BOOKS}
        for name in self._lake.table_names():
            for file in self._lake.files(name) if name not in books else ():
                if file.event_date is not None and file.object_hash not in known:
                    file.path.unlink()

    def _merge(self, table: Table, day: date, keys: Collection[str], rows: Sequence[Row]) -> None:
        """Replace the rows of some objects in one file; a file without rows is deleted."""
        held = self._read(table, day)
        if held is None and not rows:
            return
        if held is not None and not keys:
            return
        parts = [pa.Table.from_pylist(list(rows), schema=arrow_schema(table))]
        if held is not None:
            stays = pc.invert(pc.is_in(held[_KEY], value_set=pa.array(sorted(keys), pa.string())))
            parts.insert(0, held.filter(stays))
        # A file of an earlier release may lack a column.
        joined = pa.concat_tables(parts, promote_options="default").select(table.column_names)
        merged = joined.sort_by([(name, "ascending") for name in table.key])
        path = self._path(table, day)
        if merged.num_rows:
            self._lake.write_table(merged.combine_chunks(), path)
        else:
            path.unlink()
            path.parent.rmdir()

    def _read(self, table: Table, day: date, columns: Sequence[str] | None = None) -> Any:
        """Return the rows of a date as an Arrow table, or None when there are none."""
        path = self._path(table, day)
        if not path.exists():
            return None
        wanted = None if columns is None else list(columns)
        return pq.read_table(path, columns=wanted, partitioning=None)

    def _dates(self, table: Table) -> list[date]:
        """Return the dates for which a book has a file."""
        folders = (self._lake.root / table.name).glob(f"dt=*/{_PART}.parquet")
        return sorted(date.fromisoformat(path.parent.name.removeprefix("dt=")) for path in folders)

    def _path(self, table: Table, day: date) -> Path:
        """Return the file of a book and date."""
        return self._lake.path_of(table.name, _PART, day)

    def _canaries_path(self) -> Path:
        """Return the file of the canaries."""
        return self._lake.path_of(REDACTION_CANARIES.name, _PART)

    def _nights_path(self) -> Path:
        """Return the file of the ledger of nights."""
        return self._lake.path_of(LEDGER_NIGHTS.name, _PART)
