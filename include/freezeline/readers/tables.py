"""Objects that are tables, Parquet or CSV: each row is a document, like a line of JSON lines.

A table is a producer's when its columns, or its first row, are known to one of the registry; the
name never matters. Any other table is put aside whole. Rows come out as JSON would have them, so
that a producer never knows which form its row was written in: times are ISO text, decimals are
text, a map is a mapping. In CSV everything is text.
"""

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import chain
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from include.freezeline.errors import ReadError
from include.freezeline.readers.compression import MAX_UNPACKED_BYTES
from include.freezeline.readers.records import Refused
from include.freezeline.readers.registry import find_producer

PARQUET_MAGIC = b"PAR1"
_BATCH_ROWS = 1024
_LEAST_COLUMNS = 2
_MAX_HEADER_BYTES = 64 * 1024
_COLUMN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,99}\Z")
_JSON_LINES = (b"\n{", b"\n[")
_UNDECODED = re.compile("[\udc80-\udcff]")
# Everything that bytes nobody has checked make these libraries raise; memory and interrupts apart.
_DAMAGE = (pa.ArrowException, OSError, ValueError, ArithmeticError, LookupError, TypeError)

# Prompts are longer than the 128 KiB that the csv module allows unless it is told otherwise.
csv.field_size_limit(MAX_UNPACKED_BYTES)

TableRow = dict[str, Any] | Refused


class TableBody(NamedTuple):
    """A table of a known producer.

    Attributes:
        framing: parquet or csv.
        producer: Name of the producer, for tables without rows.
        signal: Its signal.
        rows: Rows in order, read as they are asked for; what cannot be read is refused in place.
    """

    framing: str
    producer: str
    signal: str
    rows: Iterator[TableRow]


def open_table(content: bytes) -> TableBody | None:
    """Return the table that an object's unpacked content is; None when it is none.

    Raises:
        ReadError: It is a table, and either damaged or nobody's.
    """
    if content.startswith(PARQUET_MAGIC):
        columns, rows = _parquet(content)
        return _known("parquet", columns, rows)
    header = _csv_header(content)
    if header is None:
        return None
    columns, reader = header
    try:
        return _known("csv", columns, _csv_rows(reader, columns))
    except ReadError:
        if any(mark in content for mark in _JSON_LINES):  # it may be a torn first line
            return None
        raise


def _known(framing: str, columns: tuple[str, ...], rows: Iterator[TableRow]) -> TableBody:
    """Return a table whose producer is found by its columns or its first row."""
    if len(set(columns)) != len(columns):
        reason = f"repeated_column:{framing}"
        raise ReadError(reason)
    producer = find_producer(dict.fromkeys(columns))
    head: list[TableRow] = []
    for row in rows if producer is None else ():
        head.append(row)
        if isinstance(row, dict):
            producer = find_producer(row)
            break
    if producer is None:
        reason = f"unknown_table:{framing}_of_{len(columns)}_columns"
        raise ReadError(reason)
    return TableBody(framing, producer.name, producer.signal, chain(head, rows))


def _parquet(content: bytes) -> tuple[tuple[str, ...], Iterator[TableRow]]:
    """Return the columns and rows of a Parquet file."""
    try:
        file = pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True)
        columns = tuple(str(name) for name in file.schema_arrow.names)
    except _DAMAGE:
        raise _corrupt() from None
    return columns, _parquet_rows(file)


def _parquet_rows(file: pq.ParquetFile) -> Iterator[TableRow]:
    """Yield the rows of a file batch by batch."""
    batches = file.iter_batches(batch_size=_BATCH_ROWS)
    while True:
        try:
            batch = next(batches, None)
            rows = [] if batch is None else _batch_rows(batch)
        except _DAMAGE:
            raise _corrupt() from None
        if batch is None:
            return
        yield from rows


def _batch_rows(batch: pa.RecordBatch) -> list[TableRow]:
    """Return a batch's rows; when Python cannot hold one of them, only that one is refused."""
    batch = _without_nanoseconds(batch)
    try:
        return [_plain_row(row) for row in batch.to_pylist()]
    except _DAMAGE:
        return [_single_row(batch.slice(number, 1)) for number in range(batch.num_rows)]


def _single_row(batch: pa.RecordBatch) -> TableRow:
    """Return the only row of a batch."""
    try:
        return _plain_row(batch.to_pylist()[0])
    except _DAMAGE as error:
        return Refused("malformed_row", f"a value that cannot be read ({type(error).__name__})")


def _without_nanoseconds(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch with its times in microseconds, because Python's datetime has no more."""
    for index, field in enumerate(batch.schema):
        if pa.types.is_timestamp(field.type) and field.type.unit == "ns":
            cut = batch.column(index).cast(pa.timestamp("us", tz=field.type.tz), safe=False)
            batch = batch.set_column(index, field.name, cut)
    return batch


def _plain_row(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with values that JSON has."""
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    """Return a value as JSON would have it; a list of pairs is how Arrow gives a map."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, dict):
        return _plain_row(value)
    if isinstance(value, list):
        if value and all(isinstance(item, tuple) and len(item) == 2 for item in value):
            return {str(key): _plain(inner) for key, inner in value}
        return [_plain(item) for item in value]
    return str(value)


def _csv_header(content: bytes) -> tuple[tuple[str, ...], Any] | None:
    """Return the columns of a CSV file and a reader at its first row; None when it is none.

    Prose is full of commas: every field of the first line must look like the name of a column.
    """
    end = content.find(b"\n")
    if (end if end >= 0 else len(content)) > _MAX_HEADER_BYTES:
        return None
    # Bytes that are no UTF-8 come out as lone surrogates, so that only their row is lost.
    text = io.TextIOWrapper(io.BytesIO(content), "utf-8", errors="surrogateescape", newline="")
    reader = csv.reader(text, strict=True)
    try:
        columns = tuple(name.strip() for name in next(reader, ()))
    except csv.Error:
        return None
    if len(columns) < _LEAST_COLUMNS or not all(map(_COLUMN_NAME.match, columns)):
        return None
    return columns, reader


def _csv_rows(reader: Any, columns: tuple[str, ...]) -> Iterator[TableRow]:
    """Yield rows by column; blank lines are none."""
    while True:
        try:
            values = next(reader, None)
        except csv.Error:
            yield Refused("malformed_row", "quotes that do not match")
            continue
        if values is None:
            return
        if values:
            yield _csv_row(values, columns)


def _csv_row(values: list[str], columns: tuple[str, ...]) -> TableRow:
    """Return one row; an empty field is no value."""
    if len(values) != len(columns):
        return Refused("malformed_row", f"expected {len(columns)} fields, got {len(values)}")
    if any(not value.isascii() and _UNDECODED.search(value) for value in values):
        return Refused("not_utf8", "a field that is not UTF-8")
    return {name: value or None for name, value in zip(columns, values, strict=True)}


def _corrupt() -> ReadError:
    """Return the error of a damaged Parquet file."""
    reason = "corrupt_parquet"
    return ReadError(reason)
