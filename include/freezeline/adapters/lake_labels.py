"""Environment and class of data of every row of a lake file; side rows have those of their span."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.freezeline.adapters.erasure_session import parquet_relation
from include.freezeline.adapters.lake import Lake
from include.freezeline.contracts.lake import SPANS

_UNKNOWN = "*"
_NAMES = ("environment", "data_class")
_SPAN_KEY = {"trace_id", "span_id"}
_NEIGHBOURS = (timedelta(days=-1), timedelta(), timedelta(days=1))


class RowLabels:
    """The labels of the rows of some files of one table, as the files are now."""

    def __init__(self, lake: Lake, table: str, files: Sequence[Path]) -> None:
        """Read them.

        Args:
            lake: The lake, whose spans know the labels of their side rows.
            table: The table.
            files: Files of it.
        """
        self._labels: dict[Path, pa.Table] = {}
        columns = set(pq.read_schema(files[0]).names) if files else set()
        spans = _spans_near(lake, files) if columns >= _SPAN_KEY and table != SPANS.name else []
        if spans:
            self._labels = _joined(files, spans)
        else:
            self._labels = {file: _own(file) for file in files}

    def of(self, file: Path) -> pa.Table:
        """Return environment and class of each row of a file; it may be gone."""
        return self._labels.get(file, _table([], []))

    def mask(self, file: Path, environment: str, data_class: str) -> pa.Array:
        """Return which rows of a file have a label."""
        labels = self.of(file)
        return pc.and_(
            pc.equal(labels["environment"], environment),
            pc.equal(labels["data_class"], data_class),
        ).combine_chunks()

    def drop(self, file: Path, mask: pa.Array) -> None:
        """Forget rows that left their file."""
        self._labels[file] = self.of(file).filter(pc.invert(mask))


def _own(file: Path) -> pa.Table:
    """Return the labels that a file's own columns give."""
    names = [name for name in _NAMES if name in pq.read_schema(file).names]
    data = pq.read_table(file, columns=names, partitioning=None)
    n_rows = pq.read_metadata(file).num_rows
    given = {name: data[name].to_pylist() if name in names else [None] * n_rows for name in _NAMES}
    return _table(given["environment"], given["data_class"])


def _joined(files: Sequence[Path], spans: Sequence[Path]) -> dict[Path, pa.Table]:
    """Return the labels that side rows have from their spans."""
    sql = (
        "with labels as (select trace_id, span_id, min(environment) as environment, "
        f"min(data_class) as data_class from {parquet_relation(spans)} group by all) "
        "select filename, list(labels.environment order by file_row_number), "
        f"list(labels.data_class order by file_row_number) from {parquet_relation(files)} "
        "left join labels using (trace_id, span_id) group by filename"
    )
    with duckdb.connect() as connection:
        found = {Path(name): _table(*lists) for name, *lists in connection.execute(sql).fetchall()}
    return {file: found.get(file, _table([], [])) for file in files}


def _spans_near(lake: Lake, files: Sequence[Path]) -> list[Path]:
    """Return the files of spans of the days of some files; a trace may run past midnight."""
    days = {date.fromisoformat(file.parent.name.removeprefix("dt=")) for file in files
            if file.parent.name.startswith("dt=")}  # fmt: skip
    wanted = {day + step for day in days for step in _NEIGHBOURS}
    return [file.path for file in lake.files(SPANS.name) if file.event_date in wanted]


def _table(environments: Sequence[str | None], classes: Sequence[str | None]) -> pa.Table:
    """Return labels, with what nobody knows as such."""
    return pa.table(
        {
            "environment": pa.array([name or _UNKNOWN for name in environments], pa.string()),
            "data_class": pa.array([name or _UNKNOWN for name in classes], pa.string()),
        }
    )
