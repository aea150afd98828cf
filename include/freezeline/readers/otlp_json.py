"""OTLP/JSON documents to records.

A reader of OTLP/JSON ignores unknown members, takes 64-bit integers as digits or numbers, and
expects default values to be missing. Anything of the wrong type becomes a refused record, so
that a broken document is counted and never ends the night.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

from include.freezeline.readers.otlp import (
    Event,
    LogRecord,
    Origin,
    Span,
    event_name_of,
)
from include.freezeline.readers.otlp_json_values import any_value, parse_attributes
from include.freezeline.readers.otlp_metrics import read_metric
from include.freezeline.readers.privacy import without_blocked
from include.freezeline.readers.records import Record, Refused
from include.freezeline.readers.rules import BlockList
from include.freezeline.readers.values import to_integer, to_time_ns

SIGNAL_OF_KEY = {
    "resourceSpans": "traces",
    "resourceLogs": "logs",
    "resourceMetrics": "metrics",
}
_MAX_KIND = 5
_BASE64_TRACE_ID_LENGTH = 24
_FOREIGN_KEYS = ("scope_spans", "scope_logs", "scope_metrics", "instrumentationLibrarySpans")

Json = dict[str, Any]


def parse_otlp_document(document: Json, blocked: BlockList) -> Iterator[Record]:
    """Yield every span, log and metric record of a document, in document order.

    Args:
        document: A parsed OTLP/JSON document.
        blocked: Attributes to drop.
    """
    for resource in _items(document, "resourceSpans", "traces"):
        yield from _scoped(resource, "scopeSpans", "spans", "traces", blocked)
    for resource in _items(document, "resourceLogs", "logs"):
        yield from _scoped(resource, "scopeLogs", "logRecords", "logs", blocked)
    for resource in _items(document, "resourceMetrics", "metrics"):
        yield from _scoped(resource, "scopeMetrics", "metrics", "metrics", blocked)


def _items(holder: Json, key: str, signal: str) -> Iterator[Json | Refused]:
    """Yield the objects of an array; what is not an object is refused."""
    items = holder.get(key)
    if items is None:
        return
    if not isinstance(items, list):
        yield Refused("malformed_document", f"{key} must be an array", signal)
        return
    for item in items:
        if isinstance(item, dict):
            yield item
        else:
            yield Refused("malformed_document", f"{key} must hold objects", signal)


def _scoped(
    resource: Json | Refused, scopes_key: str, records_key: str, signal: str, blocked: BlockList
) -> Iterator[Record]:
    """Yield the records of one resource."""
    if isinstance(resource, Refused):
        yield resource
        return
    foreign = [key for key in _FOREIGN_KEYS if key in resource]
    if foreign and scopes_key not in resource:
        yield Refused(f"not_otlp_json:{foreign[0]}", f"expected {scopes_key}", signal)
    for scope in _items(resource, scopes_key, signal):
        if isinstance(scope, Refused):
            yield scope
            continue
        origin = _origin(resource, scope, blocked)
        for item in _items(scope, records_key, signal):
            if isinstance(item, Refused):
                yield item
            elif signal == "traces":
                yield _usual_span(item, origin, blocked) or _unusual_span(item, origin, blocked)
            elif signal == "logs":
                yield _nonconforming(item) or _log_record(item, origin, blocked)
            else:
                yield from read_metric(item, origin, partial(parse_attributes, blocked=blocked))


def _origin(resource: Json, scope: Json, blocked: BlockList) -> Origin:
    """Return what the records of a scope share."""
    described = resource.get("resource")
    attributes = described.get("attributes") if isinstance(described, dict) else None
    named = scope.get("scope")
    named = named if isinstance(named, dict) else {}
    return Origin(
        resource=parse_attributes(attributes, blocked),
        scope_name=_text(named, "name"),
        scope_version=_text(named, "version"),
    )


def _nonconforming(item: Json) -> Refused | None:
    """Recognise protobuf's own JSON mapping, which is not OTLP/JSON.

    Its ids are base64, and taking them for hex, or the other way round, would silently make
    other spans of them.
    """
    trace_id = item.get("traceId")
    if isinstance(trace_id, str) and len(trace_id) == _BASE64_TRACE_ID_LENGTH:
        return Refused("not_otlp_json:base64_ids", "ids must be hex digits, got base64")
    if isinstance(item.get("kind"), str):
        return Refused("not_otlp_json:enum_names", "kind must be a number, got a name")
    if "trace_id" in item and trace_id is None:
        return Refused("not_otlp_json:snake_case_keys", "keys must be lowerCamelCase")
    return None


def _usual_span(item: Json, origin: Origin, blocked: BlockList) -> Span | None:
    """Return a span whose members all have the type that they should, as quickly as can be."""
    member = item.get
    trace_id, span_id, name = member("traceId"), member("spanId"), member("name")
    parent_span_id, trace_state = member("parentSpanId", ""), member("traceState", "")
    kind, status = member("kind", 0), member("status")
    if not (
        type(trace_id) is type(span_id) is type(name) is str
        and type(parent_span_id) is type(trace_state) is str
        and type(kind) is int
        and 0 <= kind <= _MAX_KIND
        and not status
        and len(trace_id) != _BASE64_TRACE_ID_LENGTH
    ):
        return None
    events, links = member("events"), member("links")
    return Span(
        origin,
        trace_id.lower(),
        span_id.lower(),
        parent_span_id.lower(),
        trace_state,
        name,
        kind,
        to_time_ns(member("startTimeUnixNano")),
        to_time_ns(member("endTimeUnixNano")),
        parse_attributes(member("attributes"), blocked),
        _events(events, blocked) if events else (),
        _links(links) if links else (),
        0,
        "",
    )


def _unusual_span(item: Json, origin: Origin, blocked: BlockList) -> Span | Refused:
    """Return what can be used of a span with a status, or with members of strange types."""
    refused = _nonconforming(item)
    if refused is not None:
        return refused
    status = item.get("status")
    status = status if isinstance(status, dict) else {}
    kind = to_integer(item.get("kind")) or 0
    events, links = item.get("events"), item.get("links")
    return Span(
        origin=origin,
        trace_id=_text(item, "traceId").lower(),
        span_id=_text(item, "spanId").lower(),
        parent_span_id=_text(item, "parentSpanId").lower(),
        trace_state=_text(item, "traceState"),
        name=_text(item, "name"),
        kind=kind if 0 <= kind <= _MAX_KIND else 0,
        start_ns=to_time_ns(item.get("startTimeUnixNano")),
        end_ns=to_time_ns(item.get("endTimeUnixNano")),
        attributes=parse_attributes(item.get("attributes"), blocked),
        events=_events(events, blocked) if events else (),
        links=_links(links) if links else (),
        status_code=to_integer(status.get("code")) or 0,
        status_message=_text(status, "message"),
    )


def _log_record(item: Json, origin: Origin, blocked: BlockList) -> LogRecord:
    """Return a log record."""
    body = without_blocked({"body": any_value(item.get("body"))}, blocked)["body"]
    attributes = parse_attributes(item.get("attributes"), blocked)
    observed = item.get("observedTimeUnixNano")
    return LogRecord(
        origin=origin,
        event_name=event_name_of(_text(item, "eventName"), attributes),
        time_ns=to_time_ns(item.get("timeUnixNano")) or to_time_ns(observed),
        trace_id=_text(item, "traceId").lower(),
        span_id=_text(item, "spanId").lower(),
        attributes=attributes,
        body=body,
    )


def _events(items: Any, blocked: BlockList) -> tuple[Event, ...]:
    """Return the span events."""
    return tuple(
        Event(
            name=_text(item, "name"),
            time_ns=to_time_ns(item.get("timeUnixNano")),
            attributes=parse_attributes(item.get("attributes"), blocked),
        )
        for item in (items if isinstance(items, list) else ())
        if isinstance(item, dict)
    )


def _links(items: Any) -> tuple[tuple[str, str], ...]:
    """Return trace and span id of every link."""
    return tuple(
        (_text(item, "traceId").lower(), _text(item, "spanId").lower())
        for item in (items if isinstance(items, list) else ())
        if isinstance(item, dict)
    )


def _text(holder: Json, key: str) -> str:
    """Return a text member; empty when it is missing or of another type."""
    value = holder.get(key)
    return value if isinstance(value, str) else ""
