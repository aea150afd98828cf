"""The Parquet lake on local disk: atomic files, one set per landed object.

``<lake>/<table>/dt=YYYY-MM-DD/<object_hash>.parquet`` for rows with an event date; the books lie
beside them, one file per arrival date (``lake_books``). Every file is written under another name
and renamed, so a reader never sees half of one, and the ledger rows are written last, so an
object counts as landed only when all of it is.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from include.freezeline.contracts.arrow import arrow_schema
from include.freezeline.contracts.columns import Table

SCHEMA_FILE = "schema_only.parquet"
"""A table's file without rows, which gives an empty table its columns."""
_PARTIAL = ".partial"
_RUN_MARKER = ".landing"
# Dictionaries save nothing that zstd does not save as well, and cost a tenth of the time.
WRITING: Mapping[str, Any] = {"compression": "zstd", "use_dictionary": False}


@dataclass(frozen=True, slots=True)
class LakeFile:
    """One Parquet file of the lake.

    Attributes:
        path: Where it is.
        table_name: Its table.
        event_date: Its partition: the rows' event date, in the books their arrival date.
        object_hash: The landed object it came from; in the books the same for all.
        size_bytes: Its size.
    """

    path: Path
    table_name: str
    event_date: date | None
    object_hash: str
    size_bytes: int


def object_hash(key: str) -> str:
    """Return the name of an object's files: 32 hex digits of the SHA-256 of its key.

    Examples:
        >>> object_hash("a.json")
        '6025a12236ee54baceb48b335c5a8e54'
    """
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:32]


class Lake:
    """The lake's folder."""

    def __init__(self, root: Path) -> None:
        """Use ``root``, which need not exist yet."""
        self.root = root

    def path_of(self, table_name: str, hashed_key: str, event_date: date | None = None) -> Path:
        """Return where a file of an object belongs."""
        folder = self.root / table_name
        if event_date is not None:
            folder = folder / f"dt={event_date.isoformat()}"
        return folder / f"{hashed_key}.parquet"

    def write_rows(self, table: Table, rows: Sequence[Mapping[str, Any]], path: Path) -> None:
        """Write rows of a contract table as one file."""
        self.write_table(pa.Table.from_pylist(list(rows), schema=arrow_schema(table)), path)

    def write_table(self, data: pa.Table, path: Path) -> None:
        """Write an Arrow table as one file, whole or not at all; same rows, same bytes."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + _PARTIAL)
        pq.write_table(data, partial, **WRITING)
        partial.replace(path)

    def read_rows(self, table: Table) -> list[dict[str, Any]]:
        """Read all rows of a table, files in name order."""
        rows: list[dict[str, Any]] = []
        for file in self.files(table.name):
            rows.extend(pq.read_table(file.path, partitioning=None).to_pylist())
        return rows

    def files(self, table_name: str) -> Iterator[LakeFile]:
        """List a table's files in a fixed order; a missing table has none."""
        folder = self.root / table_name
        if not folder.is_dir():
            return
        for path in sorted(folder.rglob("*.parquet")):
            partition = path.parent.name.removeprefix("dt=")
            is_dated = path.parent != folder
            yield LakeFile(
                path=path,
                table_name=table_name,
                event_date=date.fromisoformat(partition) if is_dated else None,
                object_hash=path.stem,
                size_bytes=path.stat().st_size,
            )

    def table_names(self) -> list[str]:
        """Return the tables that have a folder."""
        if not self.root.is_dir():
            return []
        return sorted(entry.name for entry in self.root.iterdir() if entry.is_dir())

    def object_files(self, hashed_key: str, tables: Iterable[str]) -> set[Path]:
        """Return the files that one object has in the given tables, of whatever date."""
        name = f"{hashed_key}.parquet"
        found: set[Path] = set()
        for table in tables:
            found.update((self.root / table).glob(name))
            found.update((self.root / table).glob(f"dt=*/{name}"))
        return found

    def is_resumed(self) -> bool:
        """Whether a run was cut off and may have left files without a ledger row."""
        return (self.root / _RUN_MARKER).exists()

    def mark_run(self, *, is_running: bool) -> None:
        """Leave or take away the mark that a run is under way."""
        marker = self.root / _RUN_MARKER
        if is_running:
            self.root.mkdir(parents=True, exist_ok=True)
            marker.touch()
        else:
            marker.unlink(missing_ok=True)
