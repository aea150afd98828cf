"""OTLP protobuf messages to records.

The three signals' messages cannot be told apart by their first bytes, and a message of one signal
often parses as another with senseless content. So the object's name only says which signal to try
first, and a parse counts only when its records make sense.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from include.freezeline.errors import ReadError
from include.freezeline.readers.otlp import (
    Attributes,
    Event,
    LogRecord,
    Origin,
    Span,
    event_name_of,
)
from include.freezeline.readers.otlp_json_values import parse_attributes
from include.freezeline.readers.otlp_metrics import read_metric_message
from include.freezeline.readers.privacy import NAMES_TO_LOOK_INTO, is_nested, without_blocked
from include.freezeline.readers.records import Record
from include.freezeline.readers.rules import BlockList
from include.freezeline.readers.values import to_bytes_text, to_double, to_time_ns

_TRACE_ID_BYTES = 16
_SPAN_ID_BYTES = 8
_MAX_KIND = 5
_SIGNALS = ("traces", "logs", "metrics")
_MESSAGES: dict[str, Any] = {"traces": TracesData, "logs": LogsData, "metrics": MetricsData}


def parse_otlp_message(
    payload: bytes, signal_hint: str, blocked: BlockList
) -> tuple[str, Iterator[Record]]:
    """Return the signal of a message and its records, in message order.

    Args:
        payload: One serialised TracesData, LogsData or MetricsData.
        signal_hint: Signal that the object's name speaks of; tried first.
        blocked: Attributes to drop.

    Raises:
        ReadError: The bytes are none of the three.
    """
    order = sorted(_SIGNALS, key=lambda signal: signal != signal_hint)
    parsed = [(signal, message) for signal in order if (message := _parse(signal, payload))]
    for signal, message in parsed:
        if _makes_sense(signal, message, payload):
            return signal, _RECORDS_OF[signal](message, blocked)
    # Spans whose ids are all wrong: they are spans all the same, and each is refused by itself.
    for signal, message in parsed:
        if signal == signal_hint and next(_RECORDS_OF[signal](message, blocked), None):
            return signal, _RECORDS_OF[signal](message, blocked)
    reason = "unreadable_protobuf"
    raise ReadError(reason)


def _parse(signal: str, payload: bytes) -> Any:
    """Return the parsed message, or None."""
    message = _MESSAGES[signal]()
    try:
        message.ParseFromString(payload)
    except DecodeError:
        return None
    return message


def _makes_sense(signal: str, message: Any, payload: bytes) -> bool:
    """Return whether a parse found real records rather than another signal's bytes."""
    n_records = 0
    for record in _raw_records(signal, message):
        n_records += 1
        if _IS_REAL[signal](record):
            return True
    if n_records:
        return False
    message.DiscardUnknownFields()
    return bool(message.ByteSize() == len(payload))  # really empty, not something else


_IS_REAL: dict[str, Callable[[Any], object]] = {
    "traces": lambda span: (
        len(span.trace_id) == _TRACE_ID_BYTES and len(span.span_id) == _SPAN_ID_BYTES
    ),
    "logs": lambda record: record.time_unix_nano or record.observed_time_unix_nano,
    "metrics": lambda metric: metric.name and metric.WhichOneof("data"),
}


def _raw_records(signal: str, message: Any) -> Iterator[Any]:
    """Yield the protobuf records of a message."""
    if signal == "traces":
        for resource in message.resource_spans:
            for scope in resource.scope_spans:
                yield from scope.spans
    elif signal == "logs":
        for resource in message.resource_logs:
            for scope in resource.scope_logs:
                yield from scope.log_records
    else:
        for resource in message.resource_metrics:
            for scope in resource.scope_metrics:
                yield from scope.metrics


def _spans(message: Any, blocked: BlockList) -> Iterator[Record]:
    """Yield the spans of a TracesData."""
    for resource in message.resource_spans:
        described = _attributes(resource.resource.attributes, blocked)
        for scope in resource.scope_spans:
            origin = Origin(described, scope.scope.name, scope.scope.version)
            for item in scope.spans:
                yield _span(item, origin, blocked)


def _log_records(message: Any, blocked: BlockList) -> Iterator[Record]:
    """Yield the log records of a LogsData."""
    for resource in message.resource_logs:
        described = _attributes(resource.resource.attributes, blocked)
        for scope in resource.scope_logs:
            origin = Origin(described, scope.scope.name, scope.scope.version)
            for item in scope.log_records:
                yield _log_record(item, origin, blocked)


def _log_record(item: Any, origin: Origin, blocked: BlockList) -> LogRecord:
    """Return a log record."""
    attributes = _attributes(item.attributes, blocked)
    return LogRecord(
        origin=origin,
        event_name=event_name_of(item.event_name, attributes),
        time_ns=to_time_ns(item.time_unix_nano) or to_time_ns(item.observed_time_unix_nano),
        trace_id=item.trace_id.hex(),
        span_id=item.span_id.hex(),
        attributes=attributes,
        body=without_blocked({"body": _any_value(item.body)}, blocked)["body"],
    )


def _metrics(message: Any, blocked: BlockList) -> Iterator[Record]:
    """Yield the data points of a MetricsData."""
    attributes_of = partial(parse_attributes, blocked=blocked)
    for resource in message.resource_metrics:
        described = _attributes(resource.resource.attributes, blocked)
        for scope in resource.scope_metrics:
            origin = Origin(described, scope.scope.name, scope.scope.version)
            for metric in scope.metrics:
                yield from read_metric_message(metric, origin, attributes_of)


_RECORDS_OF: dict[str, Callable[[Any, BlockList], Iterator[Record]]] = {
    "traces": _spans,
    "logs": _log_records,
    "metrics": _metrics,
}


def _span(item: Any, origin: Origin, blocked: BlockList) -> Span:
    """Return a span record."""
    kind, status, events, links = item.kind, item.status, item.events, item.links
    return Span(
        origin,
        item.trace_id.hex(),
        item.span_id.hex(),
        item.parent_span_id.hex(),
        item.trace_state,
        item.name,
        kind if 0 <= kind <= _MAX_KIND else 0,
        to_time_ns(item.start_time_unix_nano),
        to_time_ns(item.end_time_unix_nano),
        _attributes(item.attributes, blocked),
        tuple(_event(event, blocked) for event in events) if events else (),
        tuple((link.trace_id.hex(), link.span_id.hex()) for link in links) if links else (),
        status.code,
        status.message,
    )


def _event(item: Any, blocked: BlockList) -> Event:
    """Return a span event."""
    attributes = _attributes(item.attributes, blocked)
    return Event(item.name, to_time_ns(item.time_unix_nano), attributes)


def _attributes(pairs: Any, blocked: BlockList) -> Attributes:
    """Return KeyValue pairs as a mapping without what is blocked; the last equal key wins."""
    found: Attributes = {}
    kept, needs_look = blocked.kept, False
    for pair in pairs:
        name = kept[pair.key]
        if name is None:
            continue
        text = pair.value.string_value  # empty unless the value is a text, as most are
        if text:
            found[name] = text
            continue
        found[name] = value = _any_value(pair.value)
        needs_look = needs_look or is_nested(value)
    is_simple = not (needs_look or NAMES_TO_LOOK_INTO[tuple(found)])
    return found if is_simple else without_blocked(found, blocked)


def _any_value(value: Any) -> Any:
    """Return an AnyValue as a plain value; an empty or unknown one is None."""
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return value.string_value
    if kind == "int_value":
        return value.int_value
    if kind == "double_value":
        return to_double(value.double_value)
    if kind == "bool_value":
        return value.bool_value
    if kind == "array_value":
        return [_any_value(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return {pair.key: _any_value(pair.value) for pair in value.kvlist_value.values}
    if kind == "bytes_value":
        return to_bytes_text(value.bytes_value)
    return None
