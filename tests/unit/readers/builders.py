"""Small OTLP documents for tests, and their protobuf form."""

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
SPAN_ID = "b7ad6b7169203331"
START_NS = 1_790_000_000_000_000_000
MS = 1_000_000


def any_value(value: Any) -> dict[str, Any]:
    """Return a plain value as an OTLP/JSON AnyValue."""
    if value is None:
        return {}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {
            "doubleValue": value if value == value and abs(value) != float("inf") else _named(value)
        }
    if isinstance(value, bytes):
        return {"bytesValue": base64.b64encode(value).decode()}
    if isinstance(value, list):
        return {"arrayValue": {"values": [any_value(item) for item in value]}}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": pairs(value)}}
    return {"stringValue": value}


def pairs(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return attributes as an OTLP/JSON KeyValue list."""
    return [{"key": key, "value": any_value(value)} for key, value in attributes.items()]


def event(
    name: str, after_ms: float, attributes: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return a span event some time after the start of the span."""
    return {
        "name": name,
        "timeUnixNano": str(START_NS + int(after_ms * MS)),
        "attributes": pairs(attributes or {}),
    }


def span(attributes: Mapping[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    """Return a span of 1,000 ms; members replace or add OTLP/JSON keys."""
    return {
        "traceId": TRACE_ID,
        "spanId": SPAN_ID,
        "name": "chat gpt-4.1",
        "kind": 3,
        "startTimeUnixNano": str(START_NS),
        "endTimeUnixNano": str(START_NS + 1000 * MS),
        "attributes": pairs(attributes or {}),
        **members,
    }


def document(
    spans: Iterable[Any],
    *,
    resource: Mapping[str, Any] | None = None,
    scope: str = "test.scope",
) -> dict[str, Any]:
    """Return a TracesData document with one resource and one scope."""
    described = {"service.name": "shop", **(resource or {})}
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": pairs(described)},
                "scopeSpans": [{"scope": {"name": scope, "version": "1.0"}, "spans": list(spans)}],
            }
        ]
    }


def encode(value: Any) -> bytes:
    """Return JSON bytes."""
    return json.dumps(value).encode()


def log_record(event_name: str, attributes: Mapping[str, Any], **members: Any) -> dict[str, Any]:
    """Return a log record that only has an observed time, as Python writes them."""
    return {
        "observedTimeUnixNano": str(START_NS),
        "eventName": event_name,
        "traceId": TRACE_ID,
        "spanId": SPAN_ID,
        "attributes": pairs(attributes),
        **members,
    }


def logs_document(records: Iterable[Any]) -> dict[str, Any]:
    """Return a LogsData document."""
    return {"resourceLogs": [{"resource": {}, "scopeLogs": [{"logRecords": list(records)}]}]}


def traces_message(traces: Mapping[str, Any]) -> bytes:
    """Return the protobuf form of a document made by :func:`document`."""
    message = TracesData()
    for resource in traces["resourceSpans"]:
        target = message.resource_spans.add()
        _fill(target.resource.attributes, resource["resource"]["attributes"])
        for scope in resource["scopeSpans"]:
            holder = target.scope_spans.add()
            holder.scope.name = scope["scope"]["name"]
            holder.scope.version = scope["scope"]["version"]
            for item in scope["spans"]:
                _fill_span(holder.spans.add(), item)
    return message.SerializeToString()


def logs_message(logs: Mapping[str, Any]) -> bytes:
    """Return the protobuf form of a document made by :func:`logs_document`."""
    message = LogsData()
    for resource in logs["resourceLogs"]:
        for scope in resource["scopeLogs"]:
            holder = message.resource_logs.add().scope_logs.add()
            for item in scope["logRecords"]:
                record = holder.log_records.add()
                record.observed_time_unix_nano = int(item["observedTimeUnixNano"])
                record.event_name = item["eventName"]
                record.time_unix_nano = int(item.get("timeUnixNano", 0))
                record.trace_id = bytes.fromhex(item["traceId"])
                record.span_id = bytes.fromhex(item["spanId"])
                _fill(record.attributes, item["attributes"])
                if "body" in item:
                    record.body.CopyFrom(_proto_value(item["body"]))
    return message.SerializeToString()


def _fill_span(target: Any, item: Mapping[str, Any]) -> None:
    target.trace_id = bytes.fromhex(item["traceId"])
    target.span_id = bytes.fromhex(item["spanId"])
    target.parent_span_id = bytes.fromhex(item.get("parentSpanId", ""))
    target.trace_state = item.get("traceState", "")
    target.name = item["name"]
    target.kind = item["kind"]
    target.start_time_unix_nano = int(item["startTimeUnixNano"])
    target.end_time_unix_nano = int(item["endTimeUnixNano"])
    _fill(target.attributes, item["attributes"])
    target.status.code = item.get("status", {}).get("code", 0)
    target.status.message = item.get("status", {}).get("message", "")
    for given in item.get("events", ()):
        made = target.events.add()
        made.name = given["name"]
        made.time_unix_nano = int(given["timeUnixNano"])
        _fill(made.attributes, given["attributes"])
    for given in item.get("links", ()):
        made = target.links.add()
        made.trace_id = bytes.fromhex(given["traceId"])
        made.span_id = bytes.fromhex(given["spanId"])


def _fill(target: Any, items: Iterable[Mapping[str, Any]]) -> None:
    target.extend(KeyValue(key=item["key"], value=_proto_value(item["value"])) for item in items)


def _proto_value(value: Mapping[str, Any]) -> AnyValue:
    made = AnyValue()
    for kind, inner in value.items():
        if kind == "stringValue":
            made.string_value = inner
        elif kind == "boolValue":
            made.bool_value = inner
        elif kind == "intValue":
            made.int_value = int(inner)
        elif kind == "doubleValue":
            made.double_value = float(inner)
        elif kind == "bytesValue":
            made.bytes_value = base64.b64decode(inner)
        elif kind == "arrayValue":
            made.array_value.SetInParent()
            made.array_value.values.extend(_proto_value(item) for item in inner["values"])
        else:
            made.kvlist_value.SetInParent()
            _fill(made.kvlist_value.values, inner["values"])
    return made


def _named(value: float) -> str:
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
