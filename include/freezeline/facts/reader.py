"""Read a fact object: CSV, Parquet or JSON lines by content, never by name.

A file that lacks a declared column is rejected whole, since every row of it would be wrong; of the
ids that say what a row is about one is enough. A row that cannot be typed is put aside alone: rows
and rejects add up to the records of the file.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from include.freezeline.errors import ReadError
from include.freezeline.facts.formats import FactFormat, read_records
from include.freezeline.facts.spec import FactColumn, FactSpec
from include.freezeline.facts.values import ValueRejectedError, parse_value, sample_json
from include.freezeline.readers.foreign_ids import foreign_trace_id
from include.freezeline.redaction.controls import CONTROL


@dataclass(frozen=True, slots=True)
class FactReject:
    """One row that is put aside.

    Attributes:
        offset: Ordinal of the row in its object.
        reason: Short code: ``bad_time:escalated_at``, ``missing_subject``, ...
        detail: What was expected and what to do; never the value.
        sample: The row's declared columns as JSON text, without ids of people and customers.
    """

    offset: int
    reason: str
    detail: str
    sample: str | None


@dataclass(frozen=True, slots=True)
class FactRead:
    """What a fact object holds.

    Attributes:
        rows: Rows by lake column name, with RAW ids in the ``*_key`` columns; landing makes them
            pseudonyms and adds the columns that say where a row came from.
        rejects: Rows put aside.
        record_count: Rows in the object; ``len(rows) + len(rejects)``.
        format: csv, parquet, json_lines or empty.
    """

    rows: list[dict[str, Any]]
    rejects: list[FactReject]
    record_count: int
    format: FactFormat


class MissingColumnError(ReadError):
    """A fact file lacks a declared column; nothing of it can be used."""

    def __init__(
        self, key: str, column: str, expected: Iterable[str], found: Iterable[str]
    ) -> None:
        """Build the quarantine reason and the message for people.

        Args:
            key: Object key.
            column: First declared column that is missing.
            expected: All declared columns.
            found: Columns of the file.
        """
        super().__init__(f"missing_column:{column}")
        self.message = (
            f"{key}: column {column} is missing; expected {', '.join(expected)}, "
            f"found {', '.join(found) or 'none'} (deliver the file again with the column, "
            f"or change the fact's YAML)"
        )

    def __str__(self) -> str:
        """Return the message for people; ``reason`` is the short code."""
        return self.message


def read_fact(spec: FactSpec, key: str, data: bytes) -> FactRead:
    """Read one fact object.

    Args:
        spec: The fact.
        key: Object key, for messages.
        data: The object's bytes.

    Raises:
        ReadError: The bytes are no known format.
        MissingColumnError: A declared column is missing.
    """
    found = read_records(data)
    if found.format == "empty":
        return FactRead([], [], 0, "empty")
    if found.columns is not None:
        _require_columns(spec, key, found.columns)
    rows: list[dict[str, Any]] = []
    rejects: list[FactReject] = []
    for offset, record in enumerate(found.records):
        try:
            rows.append(_typed(spec, record))
        except ValueRejectedError as error:
            sample = sample_json(record, _showable(spec)) if isinstance(record, dict) else None
            rejects.append(FactReject(offset, error.reason, error.detail, sample))
    return FactRead(rows, rejects, len(rows) + len(rejects), found.format)


def _require_columns(spec: FactSpec, key: str, found: Collection[str]) -> None:
    """Refuse a file that lacks a declared column, or every id of what its rows are about."""
    subjects = [column.name for column in spec.subjects]
    has_subject = not subjects or any(name in found for name in subjects)
    for column in spec.columns:
        is_needed = not has_subject if column.role == "subject" else True
        if is_needed and column.name not in found:
            raise MissingColumnError(key, column.name, [c.name for c in spec.columns], found)


def _typed(spec: FactSpec, record: Mapping[str, Any] | str) -> dict[str, Any]:
    """Type one record; a string instead of a record says why the record cannot be read."""
    if isinstance(record, str):
        raise ValueRejectedError(record, f"the row cannot be read: {record}")
    row = {column.output_name: _value(column, record) for column in spec.columns}
    subjects = spec.subjects
    if subjects and all(row[column.output_name] is None for column in subjects):
        names = ", ".join(column.name for column in subjects)
        detail = f"a value is required in one of {names} (fill one in and deliver the row again)"
        reason = "missing_subject"
        raise ValueRejectedError(reason, detail)
    return row


def _value(column: FactColumn, record: Mapping[str, Any]) -> Any:
    """Return the typed value of one column."""
    value = parse_value(column.type, column.name, record.get(column.name))
    if value is None and column.must_have_value:
        kind = "empty_key" if column.role == "key" else "empty_value"
        detail = f"{column.name}: a value is required (fill it in and deliver the row again)"
        reason = f"{kind}:{column.name}"
        raise ValueRejectedError(reason, detail)
    return _subject_id(column, value) if column.role == "subject" else value


def _subject_id(column: FactColumn, text: str | None) -> str | None:
    """Return the id of what a row is about in the form in which calls have it; nothing is null."""
    if text is None or not CONTROL.sub("", text).strip():
        return None
    return foreign_trace_id(text) if column.output_name == "trace_id" else text


def _showable(spec: FactSpec) -> tuple[str, ...]:
    """Return the columns that a quarantine sample may quote, once redacted."""
    return tuple(column.name for column in spec.columns if column.pseudonym is None)
