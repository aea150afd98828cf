"""The list of dialects, and the one function that turns an object into rows."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from include.freezeline.errors import ReadError
from include.freezeline.readers.attributes import AttributeView
from include.freezeline.readers.detect import Body, JsonDocument, Part, detect_body
from include.freezeline.readers.documents import NESTED_TOO_DEEPLY, read_document
from include.freezeline.readers.evaluations import (
    EVALUATION_EVENT,
    read_log_evaluation,
    read_span_evaluations,
)
from include.freezeline.readers.openinference import is_openinference, read_openinference
from include.freezeline.readers.openllmetry import is_openllmetry, read_openllmetry
from include.freezeline.readers.otel_genai import (
    is_otel_genai,
    is_otel_genai_legacy,
    read_otel_genai,
)
from include.freezeline.readers.otlp import LogRecord, Span, is_span_id, is_trace_id
from include.freezeline.readers.otlp_protobuf import parse_otlp_message
from include.freezeline.readers.plain import is_plain, read_plain
from include.freezeline.readers.protobuf_text import is_otlp_but_not_utf8
from include.freezeline.readers.records import Record, Refused
from include.freezeline.readers.result import ReadResult, Reject, Row
from include.freezeline.readers.rows import build_span_row, record_sample, with_metadata
from include.freezeline.readers.rules import BlockList, LandingRules

_WHOLE_OBJECT_REASONS = (
    "invalid_json",
    "not_utf8",
    NESTED_TOO_DEEPLY,
    "not_otlp_json",
    "unknown_document",
    "malformed_document",
    "truncated_frame",
    "unreadable_protobuf",
    "protobuf_not_utf8",
)
_SAFE_EVENT_NAME = re.compile(r"[A-Za-z0-9_.:/-]{1,80}")
_FRAMING_SUFFIX = {"lines": "_lines", "framed": "_framed", "single": ""}
_SIGNALS = ("traces", "logs", "metrics")  # what an object that mixes them counts as
_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Dialect:
    """One instrumentation dialect.

    Attributes:
        name: What the column ``dialect`` says.
        matches: Whether a span is written in it.
        read: Fills the columns of a span; None while the dialect is recognised but not read.
    """

    name: str
    matches: Callable[[Span], bool]
    read: Callable[[Span, AttributeView], Row] | None


def _is_langfuse(span: Span) -> bool:
    """Return whether the Langfuse SDK wrote a span."""
    return (
        "langfuse.observation.type" in span.attributes or span.origin.scope_name == "langfuse-sdk"
    )


def _is_vercel_legacy(span: Span) -> bool:
    """Return whether the Vercel AI SDK wrote a span in its own names."""
    return "ai.operationId" in span.attributes or span.origin.scope_name == "ai"


def _is_vercel(span: Span) -> bool:
    """Return whether the Vercel AI SDK wrote a span in GenAI names."""
    return span.origin.scope_name == "gen_ai"


# First hit wins: dialects that also write GenAI attributes come before the plain GenAI ones.
DIALECTS = (
    Dialect("langfuse", _is_langfuse, None),
    Dialect("openinference", is_openinference, read_openinference),
    Dialect("vercel_legacy", _is_vercel_legacy, None),
    Dialect("openllmetry", is_openllmetry, read_openllmetry),
    Dialect("vercel", _is_vercel, None),
    Dialect("otel_genai", is_otel_genai, read_otel_genai),
    Dialect("otel_genai_legacy", is_otel_genai_legacy, read_otel_genai),
    Dialect("plain", is_plain, read_plain),
)


def read_object(key: str, data: bytes, rules: LandingRules) -> ReadResult:
    """Turn an object of the bucket into rows.

    Args:
        key: The object's key; only a hint where bytes are ambiguous.
        data: The object's bytes, packed or not.
        rules: Attribute names and blocked attributes.

    Returns:
        Every record of the object, either as a row or as a reject.

    Raises:
        ReadError: Nothing of the object can be read; its reason is for the quarantine row.
    """
    body = detect_body(data)
    if body.framing == "empty":
        return ReadResult("empty", _UNKNOWN)
    reading = _Reading(rules)
    for part in body.parts:
        try:
            for record in _part_records(key, part, reading):
                reading.add(record)
        except RecursionError:
            reading.add(Refused(NESTED_TOO_DEEPLY, "values nested too deeply to be read"))
    result = reading.result(body)
    _refuse_whole_object(result)
    return result


def find_dialect(span: Span) -> Dialect:
    """Return the dialect of a span."""
    return next(dialect for dialect in DIALECTS if dialect.matches(span))


@dataclass(slots=True)
class _Reading:
    """Rows and rejects of the object being read."""

    rules: LandingRules
    forms: list[tuple[str, str]] = field(default_factory=list)
    n_records: int = 0
    n_used: int = 0
    spans: list[Row] = field(default_factory=list)
    evaluations: list[Row] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)

    @property
    def blocked(self) -> BlockList:
        """Attributes to drop."""
        return self.rules.block_list

    def add(self, record: Record) -> None:
        """Use a record or put it aside; it takes the next ordinal either way."""
        offset = self.n_records
        self.n_records += 1
        refused = self._use(record, offset)
        if refused is None:
            self.n_used += 1
        else:
            sample = record_sample(record) if isinstance(record, Span) else None
            self.rejects.append(Reject(offset, refused.reason, refused.detail, sample))

    def result(self, body: Body) -> ReadResult:
        """Return everything that was added."""
        producer = self.forms[0][0] if self.forms else _UNKNOWN
        signals = {signal for _, signal in self.forms}
        signal = next((signal for signal in _SIGNALS if signal in signals), _UNKNOWN)
        return ReadResult(
            format=f"{producer}{_FRAMING_SUFFIX[body.framing]}",
            signal=signal,
            record_count=self.n_records,
            used_count=self.n_used,
            spans=self.spans,
            evaluations=self.evaluations,
            rejects=self.rejects,
        )

    def _use(self, record: Record, offset: int) -> Refused | None:
        """Turn a record into rows; return why not."""
        if isinstance(record, Refused):
            return record
        if isinstance(record, LogRecord):
            return self._use_log(record, offset)
        try:
            return self._use_span(record, offset)
        except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
            # One strange span must not stop the night; its reason names the defect in the reader.
            return Refused(f"reader_error:{type(error).__name__}", "please report this record")

    def _use_span(self, span: Span, offset: int) -> Refused | None:
        """Turn a span into a row and the evaluations it carries."""
        if not (is_trace_id(span.trace_id) and is_span_id(span.span_id)):
            return Refused("invalid_id", "ids must be 32 and 16 hex digits, not all zero")
        if not span.start_ns:
            return Refused("missing_start_time", "startTimeUnixNano must be a time after 1970")
        dialect = find_dialect(span)
        if dialect.read is None:
            detail = f"spans of {dialect.name} are not landed yet"
            return Refused(f"unsupported_dialect:{dialect.name}", detail)
        view = AttributeView(with_metadata(span.attributes))
        found = dialect.read(span, view)
        evaluations = list(read_span_evaluations(span, view, offset))
        names = self.rules.attributes
        self.spans.append(build_span_row(span, dialect.name, found, view, names, offset))
        self.evaluations.extend(evaluations)
        return None

    def _use_log(self, record: LogRecord, offset: int) -> Refused | None:
        """Turn a log record into an evaluation, the only kind that is landed yet."""
        if record.event_name != EVALUATION_EVENT:
            name = record.event_name if _SAFE_EVENT_NAME.fullmatch(record.event_name) else "other"
            return Refused(f"unsupported_signal:logs:{name}", "only evaluation events are landed")
        evaluation = read_log_evaluation(record, offset)
        if isinstance(evaluation, Refused):
            return evaluation
        self.evaluations.append(evaluation)
        return None


def _part_records(key: str, part: Part, reading: _Reading) -> Iterator[Record]:
    """Yield the records of one document or message."""
    if isinstance(part, Refused):
        yield part
        return
    if isinstance(part, JsonDocument):
        document = read_document(key, part.data, reading.blocked)
        reading.forms.append((f"{document.producer}_json", document.signal))
        yield from document.records
        return
    try:
        signal, records = parse_otlp_message(part.payload, _signal_hint(key), reading.blocked)
    except ReadError as error:
        if is_otlp_but_not_utf8(part.payload):
            detail = f"message of {len(part.payload)} bytes with a text that is not UTF-8"
            yield Refused("protobuf_not_utf8", detail)
            return
        yield Refused(error.reason, f"{len(part.payload)} bytes that are no OTLP message")
        return
    reading.forms.append(("otlp_protobuf", signal))
    yield from records


def _signal_hint(key: str) -> str:
    """Return the signal that the object's name speaks of."""
    name = PurePosixPath(key).name
    return next((signal for signal in ("logs", "metrics") if signal in name), "traces")


def _refuse_whole_object(result: ReadResult) -> None:
    """Raise when every record was refused because the object as a whole is no OTLP."""
    reasons = [reject.reason for reject in result.rejects]
    if not reasons or len(reasons) < result.record_count:
        return
    if all(reason.startswith(_WHOLE_OBJECT_REASONS) for reason in reasons):
        raise ReadError(reasons[0])
