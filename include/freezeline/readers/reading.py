"""The one function that turns an object into rows."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from include.freezeline.contracts.lake import SPANS
from include.freezeline.errors import ReadError
from include.freezeline.readers.attributes import AttributeView
from include.freezeline.readers.business import BusinessColumns
from include.freezeline.readers.counters import read_metric_point
from include.freezeline.readers.detect import JsonDocument, Part, detect_body
from include.freezeline.readers.documents import NESTED_TOO_DEEPLY, read_document
from include.freezeline.readers.log_events import read_log_event
from include.freezeline.readers.otlp import (
    Attributes,
    LogRecord,
    MetricPoint,
    Span,
    is_span_id,
    is_trace_id,
)
from include.freezeline.readers.otlp_protobuf import parse_otlp_message
from include.freezeline.readers.protobuf_text import mended_message
from include.freezeline.readers.quick_spans import quick_spans
from include.freezeline.readers.records import Record, Refused, SideRows
from include.freezeline.readers.result import ReadResult, Reject, Row, RowBatch
from include.freezeline.readers.rows import record_sample
from include.freezeline.readers.rules import LandingRules
from include.freezeline.readers.storage import storage_of, withhold_texts
from include.freezeline.readers.trace_limits import TraceEdits, TraceLimiter
from include.freezeline.readers.whole_spans import read_whole_span

_WHOLE_OBJECT_REASONS = (
    "invalid_json",
    "not_utf8",
    NESTED_TOO_DEEPLY,
    "not_otlp_json",
    "unknown_document",
    "malformed_document",
    "truncated_frame",
    "unreadable_protobuf",
)
_FRAMING_SUFFIX = {
    "lines": "_lines", "framed": "_framed", "single": "", "parquet": "_parquet", "csv": "_csv",
}  # fmt: skip
_SIGNALS = ("traces", "logs", "metrics", "scores", "content")  # what a mixed object counts as
_UNKNOWN = "unknown"
# What is worked on at a time: some thousand records, fewer when they are long.
BATCH_RECORDS = 4_000
_BATCH_CHARS = 32_000_000
_LONG_COLUMNS = ("input_messages_redacted", "output_messages_redacted", "attributes_redacted")


def read_object(key: str, data: bytes, rules: LandingRules) -> ReadResult:
    """Turn an object of the bucket into rows, all at once.

    Args:
        key: The object's key; only a hint where bytes are ambiguous.
        data: The object's bytes, packed or not.
        rules: Attribute names and blocked attributes.

    Returns:
        Every record of the object, either as a row or as a reject.

    Raises:
        ReadError: Nothing of the object can be read; its reason is for the quarantine row.
    """
    reading = ObjectReading(key, data, rules)
    tables: dict[str, list[Row]] = {}
    rejects: list[Reject] = []
    for batch in reading.batches():
        for name, rows in batch.tables.items():
            tables.setdefault(name, []).extend(rows)
        rejects.extend(batch.rejects)
    return replace(reading.summary(), tables=tables, rejects=rejects)


class ObjectReading:
    """An object that is turned into rows batch by batch, so that its size needs no memory."""

    def __init__(self, key: str, data: bytes, rules: LandingRules) -> None:
        """Find out what the bytes are.

        Args:
            key: The object's key; only a hint where bytes are ambiguous.
            data: The object's bytes, packed or not.
            rules: Attribute names and blocked attributes.

        Raises:
            ReadError: The bytes are none of the known forms, or damaged.
        """
        self._key = key
        self._rules = rules
        self._body = detect_body(data)
        self._business = BusinessColumns(rules.attributes)
        self._forms: dict[tuple[str, str], None] = {}
        if self._body.form is not None:
            self._forms[self._body.form] = None
        self._n_records = self._n_used = self._n_taken = self._n_chars = 0
        self._dialects: set[str] = set()
        self._tables: dict[str, list[Row]] = {}
        self._rejects: list[Reject] = []
        self._whole_object_reason: str | None = None
        self._is_usable = self._is_mended = False
        self._limiter = TraceLimiter(rules.trace_limits)
        self._quick = quick_spans(rules)

    def batches(self) -> Iterator[RowBatch]:
        """Yield all records, some thousand at a time; an empty object is one empty batch.

        Raises:
            ReadError: At the end, when every record was refused because the object as a whole is
                nothing that can be read; its reason is for the quarantine row.
        """
        for part in self._body.parts:
            try:
                for record in self._part_records(part):
                    self._add(record)
                    n_held = self._n_records - self._n_taken
                    if n_held >= BATCH_RECORDS or self._n_chars >= _BATCH_CHARS:
                        yield self._take(is_last=False)
            except RecursionError:
                self._add(Refused(NESTED_TOO_DEEPLY, "values nested too deeply to be read"))
        if self._n_records and self._whole_object_reason and not self._is_usable:
            raise ReadError(self._whole_object_reason)
        yield self._take(is_last=True)

    def summary(self) -> ReadResult:
        """Return what the object was, without its rows; to be asked after the last batch."""
        if self._body.framing == "empty":
            return ReadResult("empty", _UNKNOWN)
        producer = next(iter(self._forms), (_UNKNOWN,))[0]
        signals = {signal for _, signal in self._forms}
        mended = "_mended" if self._is_mended else ""
        return ReadResult(
            format=f"{producer}{_FRAMING_SUFFIX[self._body.framing]}{mended}",
            signal=next((signal for signal in _SIGNALS if signal in signals), _UNKNOWN),
            record_count=self._n_records,
            used_count=self._n_used,
            dialects=tuple(sorted(self._dialects)),
        )

    def edits(self) -> TraceEdits | None:
        """Return what becomes of rows whose trace is too large; to be asked after the last batch."""
        return self._limiter.edits()

    def _take(self, *, is_last: bool) -> RowBatch:
        """Hand over what has been gathered since the last time."""
        batch = RowBatch(self._tables, self._rejects, is_last)
        self._limiter.note(batch.tables)
        self._tables, self._rejects = {}, []
        self._n_taken, self._n_chars = self._n_records, 0
        return batch

    def _add(self, record: Record) -> None:
        """Use a record or put it aside; it takes the next ordinal either way."""
        offset = self._n_records
        self._n_records = offset + 1
        try:
            if isinstance(record, Span):
                refused = self._use_span(record, offset)
            else:
                refused = self._use_other(record, offset)
        except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
            # One strange record must not stop the night; its reason names the defect in the reader.
            refused = Refused(f"reader_error:{type(error).__name__}", "please report this record")
        if refused is None:
            self._n_used += 1
            self._is_usable = True
            return
        sample = record_sample(record) if isinstance(record, Span) else None
        self._rejects.append(Reject(offset, refused.reason, refused.detail, sample))
        if not refused.reason.startswith(_WHOLE_OBJECT_REASONS):
            self._is_usable = True
        elif self._whole_object_reason is None:
            self._whole_object_reason = refused.reason

    def _part_records(self, part: Part) -> Iterator[Record]:
        """Yield the records of one document or message."""
        blocked = self._rules.block_list
        if isinstance(part, Refused):
            yield part
            return
        if isinstance(part, JsonDocument):
            self._is_mended = self._is_mended or part.is_mended
            document = read_document(self._key, part.data, blocked)
            self._forms[f"{document.producer}_json", document.signal] = None
            yield from document.records
            return
        try:
            signal, records = self._message_records(part.payload)
        except ReadError as error:
            yield Refused(error.reason, f"{len(part.payload)} bytes that are no OTLP message")
            return
        self._forms["otlp_protobuf", signal] = None
        yield from records

    def _message_records(self, payload: bytes) -> tuple[str, Iterator[Record]]:
        """Return the signal and records of a message, mended where its texts are not UTF-8."""
        hint, blocked = _signal_hint(self._key), self._rules.block_list
        try:
            return parse_otlp_message(payload, hint, blocked)
        except ReadError:
            mended = mended_message(payload)
            if mended is None:
                raise
        self._is_mended = True
        return parse_otlp_message(mended, hint, blocked)

    def _use_span(self, span: Span, offset: int) -> Refused | None:
        """Turn a span into a row and the rows that hang on it."""
        if not (is_trace_id(span.trace_id) and is_span_id(span.span_id)):
            return Refused("invalid_id", "ids must be 32 and 16 hex digits, not all zero")
        if not span.start_ns:
            return Refused("missing_start_time", "startTimeUnixNano must be a time after 1970")
        tables = self._quick.read(span)
        if tables is None:
            tables = read_whole_span(span, self._business, self._rules)
        row = tables[SPANS.name][0]
        self._dialects.add(row["dialect"])
        for name in _LONG_COLUMNS:
            text = row[name]
            if text is not None:
                self._n_chars += len(text)
        self._keep(tables, offset)
        return None

    def _use_other(
        self, record: LogRecord | MetricPoint | SideRows | Refused, offset: int
    ) -> Refused | None:
        """Turn a log record, a metric point or a foreign record into rows of side tables."""
        if isinstance(record, Refused):
            return record
        if isinstance(record, LogRecord):
            found = read_log_event(record, self._rules)
        elif isinstance(record, MetricPoint):
            found = read_metric_point(record, self._rules)
        else:
            found = record
        if isinstance(found, Refused):
            return found
        if not self._may_store_text_of(record):
            withhold_texts(found.tables)
        self._keep(found.tables, offset)
        return None

    def _may_store_text_of(self, record: LogRecord | MetricPoint | SideRows) -> bool:
        """Whether texts of a record that is no span may be stored.

        It is judged by itself, since its span may lie in another object or not be here yet.
        """
        attributes: Attributes = {}
        resource = AttributeView({})
        if not isinstance(record, SideRows):
            attributes, resource = record.attributes, AttributeView(record.origin.resource)
        view = AttributeView(attributes)
        columns = self._business.columns(view, resource, {})
        return storage_of(view, resource, columns, self._rules.storage).may_store_text

    def _keep(self, tables: dict[str, list[Row]], offset: int) -> None:
        """Add rows that came from the record at an ordinal."""
        for name, rows in tables.items():
            for row in rows:
                row["source_offset"] = offset
            if rows:
                self._tables.setdefault(name, []).extend(rows)


def _signal_hint(key: str) -> str:
    """Return the signal that the object's name speaks of."""
    name = PurePosixPath(key).name
    return next((signal for signal in ("logs", "metrics") if signal in name), "traces")
