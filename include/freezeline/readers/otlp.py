"""The one internal form of OTLP records, whatever encoding they came in."""

from collections.abc import Mapping
from typing import Any, NamedTuple

_HEX_DIGITS = "0123456789abcdef"
_NO_TRACE_ID, _NO_SPAN_ID = "0" * 32, "0" * 16

Attributes = dict[str, Any]


class Origin(NamedTuple):
    """What the records of one scope share.

    Attributes:
        resource: Resource attributes.
        scope_name: Instrumentation scope, empty when unnamed.
        scope_version: Version of the scope, empty when unknown.
    """

    resource: Attributes
    scope_name: str
    scope_version: str


class Event(NamedTuple):
    """One span event.

    Attributes:
        name: Event name.
        time_ns: Unix time in nanoseconds; 0 when unknown.
        attributes: Attributes, blocked ones left out.
    """

    name: str
    time_ns: int
    attributes: Attributes


class Span(NamedTuple):
    """One span record as delivered; ids are lower case and not yet checked.

    Attributes:
        origin: Resource and scope.
        trace_id: Hex digits.
        span_id: Hex digits.
        parent_span_id: Hex digits; empty on a root span.
        trace_state: W3C tracestate.
        name: Span name.
        kind: OTLP kind, 0 to 5.
        start_ns: Unix time in nanoseconds; 0 when unknown.
        end_ns: Unix time in nanoseconds; 0 when unknown.
        attributes: Attributes, blocked ones left out; of equal keys the last one wins.
        events: Span events in order.
        links: Trace id and span id of linked spans.
        status_code: 0 unset, 1 ok, 2 error.
        status_message: Message of the status.
    """

    origin: Origin
    trace_id: str
    span_id: str
    parent_span_id: str
    trace_state: str
    name: str
    kind: int
    start_ns: int
    end_ns: int
    attributes: Attributes
    events: tuple[Event, ...]
    links: tuple[tuple[str, str], ...]
    status_code: int
    status_message: str


class LogRecord(NamedTuple):
    """One log record as delivered.

    Attributes:
        origin: Resource and scope.
        event_name: Name of the event; empty when it is a plain log line.
        time_ns: Time of the event, else the time it was observed; 0 when unknown.
        trace_id: Hex digits, not yet checked.
        span_id: Hex digits, not yet checked.
        attributes: Attributes, blocked ones left out.
        body: The body as a plain value, blocked members left out; None when there is none.
    """

    origin: Origin
    event_name: str
    time_ns: int
    trace_id: str
    span_id: str
    attributes: Attributes
    body: Any


class MetricPoint(NamedTuple):
    """One data point of a metric as delivered.

    Attributes:
        origin: Resource and scope.
        name: Metric name.
        unit: Unit, empty when none.
        instrument: sum, gauge, histogram, exponential_histogram or summary.
        temporality: delta, cumulative or empty.
        is_monotonic: Whether a sum only grows; None on other instruments.
        start_ns: Unix time in nanoseconds; 0 when unknown.
        time_ns: Unix time in nanoseconds; 0 when unknown.
        attributes: Attributes of the point, blocked ones left out.
        n_observations: Observations; None on sums and gauges.
        total: Sum of the observations, or the value of a sum or gauge; None when not sent.
        least: Least observation; None when not sent.
        largest: Largest observation; None when not sent.
        bounds: Upper bounds of the buckets but the last; empty without buckets.
        bucket_counts: Observations per bucket.
    """

    origin: Origin
    name: str
    unit: str
    instrument: str
    temporality: str
    is_monotonic: bool | None
    start_ns: int
    time_ns: int
    attributes: Attributes
    n_observations: int | None
    total: float | None
    least: float | None
    largest: float | None
    bounds: tuple[float, ...]
    bucket_counts: tuple[int, ...]


def is_trace_id(text: str) -> bool:
    """Return whether text is a usable trace id: 32 hex digits, not all zero."""
    return len(text) == len(_NO_TRACE_ID) and not text.strip(_HEX_DIGITS) and text != _NO_TRACE_ID


def is_span_id(text: str) -> bool:
    """Return whether text is a usable span id: 16 hex digits, not all zero."""
    return len(text) == len(_NO_SPAN_ID) and not text.strip(_HEX_DIGITS) and text != _NO_SPAN_ID


def id_or_none(text: str) -> str | None:
    """Return an id as sent; None when it is empty or all zero, which is how senders write none."""
    return text if text.strip("0") else None


def event_name_of(given: str, attributes: Mapping[str, Any]) -> str:
    """Return a log record's event name, from its field or, in older data, its attribute."""
    return given or str(attributes.get("event.name") or "")
