"""Bytes of a fact object to records, values as the file has them."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from include.freezeline.errors import ReadError

FactFormat = Literal["csv", "parquet", "json_lines", "empty"]
Record = dict[str, Any] | str
"""A record, or the reason why it cannot be read."""

_PARQUET_MAGIC = b"PAR1"
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Records:
    """What a fact object holds, untyped.

    Attributes:
        format: How it is written.
        columns: Column names; None when every record has its own (JSON lines).
        records: In file order.
    """

    format: FactFormat
    columns: tuple[str, ...] | None
    records: Iterator[Record]


def read_records(data: bytes) -> Records:
    """Detect the format by content and return the records.

    Raises:
        ReadError: The bytes are no known format.
    """
    if not data.strip():
        return Records("empty", (), iter(()))
    if data.startswith(_PARQUET_MAGIC):
        return _parquet(data)
    if b"\x00" in data.split(b"\n", 1)[0]:
        reason = "unknown_format"
        raise ReadError(reason)
    text = _decoded(data.removeprefix(_BOM))
    if text.lstrip().startswith("{"):
        return Records("json_lines", None, _json_lines(text))
    return _csv(text)


def _decoded(data: bytes) -> str:
    """Decode UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        reason = "not_utf8"
        raise ReadError(reason) from None


def _parquet(data: bytes) -> Records:
    """Read a Parquet file."""
    try:
        table = pq.read_table(io.BytesIO(data))
    except (pa.ArrowException, OSError, ValueError):
        reason = "corrupt_parquet"
        raise ReadError(reason) from None
    rows = (row for batch in table.to_batches() for row in _batch_rows(batch))
    return Records("parquet", tuple(table.column_names), rows)


def _batch_rows(batch: pa.RecordBatch) -> Iterator[Record]:
    """Return a batch's rows; nanoseconds are cut, because Python's datetime has none."""
    for index, field in enumerate(batch.schema):
        if pa.types.is_timestamp(field.type) and field.type.unit == "ns":
            cut = batch.column(index).cast(pa.timestamp("us", tz=field.type.tz), safe=False)
            batch = batch.set_column(index, field.name, cut)
    yield from batch.to_pylist()


def _csv(text: str) -> Records:
    """Read comma-separated text with a header."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader)
    except (csv.Error, StopIteration):
        reason = "unknown_format"
        raise ReadError(reason) from None
    columns = tuple(name.strip() for name in header)
    if len(set(columns)) != len(columns):
        reason = "repeated_column"
        raise ReadError(reason)
    return Records("csv", columns, _csv_rows(reader, columns))


def _csv_rows(reader: Any, columns: tuple[str, ...]) -> Iterator[Record]:
    """Return rows by column name; blank lines are no rows."""
    while True:
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield "malformed_row"
            continue
        if not values:
            continue
        if len(values) != len(columns):
            yield "wrong_field_count"
            continue
        yield dict(zip(columns, values, strict=True))


def _json_lines(text: str) -> Iterator[Record]:
    """Return one record per line that is not blank."""
    for line in text.splitlines():
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            yield "not_json"
            continue
        yield record if isinstance(record, dict) else "not_an_object"
