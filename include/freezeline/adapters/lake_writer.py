"""The files of one object on their way into the lake.

Rows are held in memory while they are few. Beyond that they go to files under another name, a row
group at a time, so that an object of any size lands in bounded memory; nothing is visible in the
lake before all of it is written.
"""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from include.freezeline.adapters.lake import WRITING, Lake, object_hash
from include.freezeline.contracts.columns import Table

_SPILL_BYTES = 48_000_000
_SPILLED = ".spilled"


class LakeWriter:
    """Takes an object's rows and makes its files; a sink of ``landing.process``."""

    def __init__(self, lake: Lake, key: str, *, spill_bytes: int = _SPILL_BYTES) -> None:
        """Start with no rows.

        Args:
            lake: Where the files go.
            key: The object, which names them.
            spill_bytes: Size in memory from which on rows are written as they come.
        """
        self._lake = lake
        self._name = object_hash(key)
        self._spill_bytes = spill_bytes
        self._held: dict[Path, list[pa.Table]] = {}
        self._held_bytes = 0
        self._spilled: dict[Path, Any] = {}

    def __enter__(self) -> Self:
        """Use the writer until it is closed."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take away what was not committed."""
        self.discard()

    def add(self, table: Table, event_date: date, data: pa.Table) -> None:
        """Take rows of one table and date."""
        path = self._lake.path_of(table.name, self._name, event_date)
        self._held.setdefault(path, []).append(data)
        self._held_bytes += data.nbytes
        if self._held_bytes > self._spill_bytes:
            self._spill()

    def edit(self, change: Callable[[pa.Table], pa.Table]) -> None:
        """Change or drop rows among all that were taken, spilled ones included."""
        if self._spilled:
            self._spill()
        self._held = {path: [change(data) for data in held] for path, held in self._held.items()}
        for path in list(self._spilled):
            self._spilled.pop(path).close()
            source = _spilled_path(path)
            edited = source.with_suffix(source.suffix + ".edited")
            with (
                pq.ParquetFile(source) as before,
                pq.ParquetWriter(edited, before.schema_arrow, **WRITING) as after,
            ):
                for number in range(before.num_row_groups):
                    after.write_table(change(before.read_row_group(number)))
            edited.replace(source)
            self._spilled[path] = None

    def commit(self) -> set[Path]:
        """Put the files in their places and return them; what holds no row gets no file."""
        if self._held and self._spilled:
            self._spill()
        written = set()
        for path, held in self._held.items():
            data = pa.concat_tables(held) if len(held) > 1 else held[0]
            if data.num_rows:
                self._lake.write_table(data, path)
                written.add(path)
        for path, writer in self._spilled.items():
            if writer is not None:
                writer.close()
            source = _spilled_path(path)
            if pq.read_metadata(source).num_rows:
                source.replace(path)
                written.add(path)
            else:
                source.unlink()
        self._held, self._spilled = {}, {}
        return written

    def discard(self) -> None:
        """Forget all rows that were not committed."""
        for path, writer in self._spilled.items():
            if writer is not None:
                writer.close()
            _spilled_path(path).unlink(missing_ok=True)
        self._held, self._spilled, self._held_bytes = {}, {}, 0

    def _spill(self) -> None:
        """Write what is held, a row group per file."""
        for path, held in self._held.items():
            data = pa.concat_tables(held)
            writer = self._spilled.get(path)
            if path in self._spilled and writer is None:
                message = f"{path}: rows came after the object was edited"
                raise AssertionError(message)
            if writer is None:
                path.parent.mkdir(parents=True, exist_ok=True)
                writer = pq.ParquetWriter(_spilled_path(path), data.schema, **WRITING)
                self._spilled[path] = writer
            if data.num_rows:
                writer.write_table(data)
        self._held, self._held_bytes = {}, 0


def _spilled_path(path: Path) -> Path:
    """Return where rows wait until all of their file is there."""
    return path.with_name(path.name + _SPILLED)
