"""Encode spans as the collector's S3 exporter would store them: OTLP/JSON or protobuf, gzipped."""

import base64
import gzip
import math
from collections.abc import Callable, Sequence
from typing import Any

import orjson
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan

_GZIP_LEVEL = 6


def encode_protobuf(spans: Sequence[ReadableSpan]) -> bytes:
    """Return one gzipped OTLP message."""
    message = encode_spans(spans)
    return compress(message.SerializeToString(deterministic=True))


def encode_json(
    spans: Sequence[ReadableSpan], amend: Callable[[dict[str, Any]], None] | None = None
) -> bytes:
    """Return one gzipped OTLP/JSON document.

    Args:
        spans: Spans of the batch.
        amend: Changes the document before it is written (to plant a defect).
    """
    document = otlp_json(encode_spans(spans))
    if amend is not None:
        amend(document)
    return compress(orjson.dumps(document))


def compress(data: bytes) -> bytes:
    """Gzip without a time stamp: same bytes in, same bytes out."""
    return gzip.compress(data, compresslevel=_GZIP_LEVEL, mtime=0)


def otlp_json(message: Any) -> dict[str, Any]:
    """Convert an OTLP trace message to the protocol's JSON mapping.

    protobuf's own JSON writer does not fit: OTLP wants ids in hex, not base64, and enum values
    as numbers. Members with default values are left out, as the rule allows.
    """
    return {"resourceSpans": [_resource_spans(group) for group in message.resource_spans]}


def _resource_spans(group: Any) -> dict[str, Any]:
    """Convert the spans of one resource."""
    return _compact(
        resource={"attributes": _attributes(group.resource.attributes)},
        scopeSpans=[_scope_spans(scope) for scope in group.scope_spans],
        schemaUrl=group.schema_url,
    )


def _scope_spans(group: Any) -> dict[str, Any]:
    """Convert the spans of one instrumentation scope."""
    return _compact(
        scope=_compact(
            name=group.scope.name,
            version=group.scope.version,
            attributes=_attributes(group.scope.attributes),
        ),
        spans=[_span(span) for span in group.spans],
        schemaUrl=group.schema_url,
    )


def _span(span: Any) -> dict[str, Any]:
    """Convert one span; an unset status is written as the collector does, without members."""
    status = _compact(message=span.status.message, code=int(span.status.code))
    members = _compact(
        traceId=span.trace_id.hex(),
        spanId=span.span_id.hex(),
        traceState=span.trace_state,
        parentSpanId=span.parent_span_id.hex(),
        flags=span.flags,
        name=span.name,
        kind=int(span.kind),
        startTimeUnixNano=str(span.start_time_unix_nano),
        endTimeUnixNano=str(span.end_time_unix_nano),
        attributes=_attributes(span.attributes),
        events=[_event(event) for event in span.events],
    )
    return {**members, "status": status}


def _event(event: Any) -> dict[str, Any]:
    """Convert one span event."""
    return _compact(
        timeUnixNano=str(event.time_unix_nano),
        name=event.name,
        attributes=_attributes(event.attributes),
    )


def _attributes(attributes: Any) -> list[dict[str, Any]]:
    """Convert key-value pairs, in their order."""
    return [{"key": pair.key, "value": _value(pair.value)} for pair in attributes]


def _value(value: Any) -> dict[str, Any]:
    """Convert an AnyValue; 64-bit integers become decimal strings."""
    kind = value.WhichOneof("value")
    return {} if kind is None else _VALUE_WRITERS[kind](value)


def _double(value: Any) -> dict[str, Any]:
    """Write a double; JSON has no infinities, the mapping spells them out."""
    number = value.double_value
    if math.isfinite(number):
        return {"doubleValue": number}
    name = "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
    return {"doubleValue": name}


def _bytes(value: Any) -> dict[str, Any]:
    """Write bytes in base64, the one place where the mapping uses it."""
    return {"bytesValue": base64.b64encode(value.bytes_value).decode("ascii")}


_VALUE_WRITERS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "string_value": lambda value: {"stringValue": value.string_value},
    "bool_value": lambda value: {"boolValue": value.bool_value},
    "int_value": lambda value: {"intValue": str(value.int_value)},
    "double_value": _double,
    "array_value": lambda value: {
        "arrayValue": {"values": [_value(item) for item in value.array_value.values]}
    },
    "kvlist_value": lambda value: {
        "kvlistValue": {"values": _attributes(value.kvlist_value.values)}
    },
    "bytes_value": _bytes,
}


def _compact(**members: Any) -> dict[str, Any]:
    """Leave out members with their default value."""
    return {name: value for name, value in members.items() if value}
