"""OTLP/JSON documents to records.

A reader of OTLP/JSON ignores unknown members, takes 64-bit integers as digits or numbers, and
expects default values to be missing. Anything of the wrong type becomes a refused record, so
that a broken document is counted and never ends the night.
"""

import base64
from collections.abc import Iterator
from functools import partial
from typing import Any

from include.freezeline.readers.otlp import (
    Attributes,
    Event,
    LogRecord,
    Origin,
    Span,
    event_name_of,
)
from include.freezeline.readers.otlp_metrics import read_metric
from include.freezeline.readers.privacy import NAMES_TO_LOOK_INTO, without_blocked
from include.freezeline.readers.records import Record, Refused
from include.freezeline.readers.rules import BlockList
from include.freezeline.readers.values import (
    to_bytes_text,
    to_double,
    to_integer,
    to_text,
    to_time_ns,
)

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


def parse_attributes(pairs: Any, blocked: BlockList) -> Attributes:
    """Return a KeyValue list as a mapping without what is blocked; the last equal key wins."""
    if not pairs:
        return {}
    try:
        found, is_simple = _well_formed_attributes(pairs, blocked)
    except (AttributeError, KeyError, TypeError, ValueError):
        found, is_simple = _odd_attributes(pairs, blocked), False
    return found if is_simple else without_blocked(found, blocked)


def _well_formed_attributes(pairs: Any, blocked: BlockList) -> tuple[Attributes, bool]:
    """Return attributes that keep to the format, which nearly all do, as quickly as can be.

    Returns:
        The attributes, and whether none of them needs a look inside.
    """
    found: Attributes = {}
    kept, needs_look = blocked.kept, False
    for pair in pairs:
        name = kept[pair["key"]]
        if name is None:
            continue
        value = pair["value"]
        (kind,) = value
        inner = value[kind]
        if kind == "stringValue" and type(inner) is str:
            found[name] = inner
        elif kind == "intValue":
            found[name] = to_integer(inner)
        else:
            found[name] = inner = _any_value(value)
            needs_look = needs_look or type(inner) is dict or type(inner) is list
    return found, not needs_look and not any(map(NAMES_TO_LOOK_INTO.__getitem__, found))


def _odd_attributes(pairs: Any, blocked: BlockList) -> Attributes:
    """Return what can be used of a KeyValue list that does not keep to the format."""
    found: Attributes = {}
    for pair in pairs if isinstance(pairs, list) else ():
        if isinstance(pair, dict):
            key = pair.get("key")
            if isinstance(key, str) and key not in blocked:
                found[key] = _any_value(pair.get("value"))
    return found


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
            elif signal == "metrics":
                yield from read_metric(item, origin, partial(parse_attributes, blocked=blocked))
            else:
                yield _record(item, origin, signal, blocked)


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


def _record(item: Json, origin: Origin, signal: str, blocked: BlockList) -> Record:
    """Return a span or a log record."""
    if signal == "traces":
        return _nonconforming(item) or _span(item, origin, blocked)
    return _nonconforming(item) or _log_record(item, origin, blocked)


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


def _span(item: Json, origin: Origin, blocked: BlockList) -> Span:
    """Return a span record."""
    status = item.get("status")
    status = status if isinstance(status, dict) else {}
    kind = to_integer(item.get("kind")) or 0
    events = item.get("events")
    links = item.get("links")
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
    body = without_blocked({"body": _any_value(item.get("body"))}, blocked)["body"]
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


def _any_value(value: Any) -> Any:
    """Return an AnyValue as a plain value; an empty or unknown one is None."""
    if not isinstance(value, dict):
        return None
    for kind, inner in value.items():
        if kind == "stringValue":
            return inner if isinstance(inner, str) else to_text(inner)
        if kind == "intValue":
            return to_integer(inner)
        if kind == "doubleValue":
            return to_double(inner)
        if kind == "boolValue":
            return inner if isinstance(inner, bool) else None
        if kind == "arrayValue":
            return [_any_value(item) for item in _values(inner)]
        if kind == "kvlistValue":
            return _mapping(_values(inner))
        if kind == "bytesValue":
            return _bytes_text(inner)
    return None


def _bytes_text(inner: Any) -> str | None:
    """Return what base64 stands for."""
    try:
        return to_bytes_text(base64.b64decode(inner, validate=True))
    except (TypeError, ValueError):
        return None


def _mapping(pairs: list[Any]) -> dict[str, Any]:
    """Return a kvlist as a mapping."""
    return {
        pair["key"]: _any_value(pair.get("value"))
        for pair in pairs
        if isinstance(pair, dict) and isinstance(pair.get("key"), str)
    }


def _values(holder: Any) -> list[Any]:
    """Return the values of an array or kvlist."""
    values = holder.get("values") if isinstance(holder, dict) else None
    return values if isinstance(values, list) else []


def _text(holder: Json, key: str) -> str:
    """Return a text member; empty when it is missing or of another type."""
    value = holder.get(key)
    return value if isinstance(value, str) else ""
