"""Files of sealed originals: those of the lake, and those that a legal hold keeps in the archive."""

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.freezeline.adapters.lake import Lake
from include.freezeline.contracts.lake_sealed import SEALED


class SealedFiles:
    """Sealed rows by trace and by key."""

    def __init__(self, lake_dir: Path, cold_dir: Path) -> None:
        """Use the lake and the archive."""
        self._lakes = (Lake(lake_dir), Lake(cold_dir))

    def of_trace(self, trace_id: str, span_id: str | None) -> list[dict[str, Any]]:
        """Return the sealed rows of a trace, or of one of its spans, in a fixed order."""
        wanted = [("trace_id", "=", trace_id)]
        if span_id is not None:
            wanted.append(("span_id", "=", span_id))
        found = [
            row
            for path, _ in self._files()
            for row in pq.read_table(path, filters=wanted, partitioning=None).to_pylist()
        ]
        order = ("event_at", "source_table", "span_id", "source_object", "source_offset")
        return sorted(found, key=lambda row: tuple(str(row[name]) for name in order))

    def counts(self) -> dict[str, tuple[int, int]]:
        """Return rows and texts by key name."""
        counts: dict[str, tuple[int, int]] = {}
        for path, _ in self._files():
            data = pq.read_table(path, columns=["key_name", "text_count"], partitioning=None)
            for row in data.to_pylist():
                n_rows, n_texts = counts.get(row["key_name"], (0, 0))
                counts[row["key_name"]] = n_rows + 1, n_texts + row["text_count"]
        return counts

    def of_key(self, key_name: str, key_date: date) -> Iterator[tuple[Path, pa.Table]]:
        """Yield files of a day with rows of a key, and those rows."""
        for path, day in self._files():
            if day == key_date:
                data = pq.read_table(path, partitioning=None)
                rows = data.filter(pc.equal(data["key_name"], key_name))
                if rows.num_rows:
                    yield path, rows

    def keep(self, name: str, day: date, rows: pa.Table) -> None:
        """Write rows to the archive's file of an object, beside those that are there."""
        archive = self._lakes[1]
        path = archive.path_of(SEALED.name, name, day)
        if path.exists():
            rows = pa.concat_tables([pq.read_table(path, partitioning=None), rows])
        keys = [(column, "ascending") for column in ("key_name", *SEALED.key)]
        archive.write_table(_distinct(rows.sort_by(keys)), path)

    def drop(self, path: Path, key_name: str) -> None:
        """Drop the rows of a key from a file; a file without rows is deleted."""
        data = pq.read_table(path, partitioning=None)
        kept = data.filter(pc.not_equal(data["key_name"], key_name))
        if kept.num_rows:
            self._lakes[0].write_table(kept, path)
        else:
            path.unlink()

    def _files(self) -> Iterator[tuple[Path, date | None]]:
        """Yield every file of sealed rows with its day."""
        for lake in self._lakes:
            for file in lake.files(SEALED.name):
                yield file.path, file.event_date


def _distinct(rows: pa.Table) -> pa.Table:
    """Return sorted rows without repeats, which a run that was cut off leaves."""
    seen: set[tuple[Any, ...]] = set()
    mask = []
    for row in rows.select(["key_name", *SEALED.key]).to_pylist():
        key = _key(row)
        mask.append(key not in seen)
        seen.add(key)
    return rows.filter(pa.array(mask, pa.bool_()))


def _key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what tells a row from others."""
    return tuple(row.values())
