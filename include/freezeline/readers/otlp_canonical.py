"""Protobuf's own JSON mapping of OTLP, which is not OTLP/JSON, rewritten into it.

Home-made writers call ``MessageToJson``: ids become base64, enums their names, and on request keys
keep their underscores. All of it can be undone without a guess. An id is rewritten only when it
decodes to as many bytes as its kind has; whatever cannot be undone stays as it is and is refused
later, record by record. Ids that went through a reader of that mapping as hex digits come back as
these digits and are left alone.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

from opentelemetry.proto.logs.v1.logs_pb2 import SeverityNumber
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

Json = dict[str, Any]

_SNAKE_KEYS = ("resource_spans", "resource_logs", "resource_metrics")
_LISTS = (
    ("resourceSpans", "scopeSpans", "spans"),
    ("resourceLogs", "scopeLogs", "logRecords"),
)
_ID_BYTES = {"traceId": 16, "spanId": 8, "parentSpanId": 8}
_ENUMS: dict[str, dict[str, Any]] = {
    "kind": dict(Span.SpanKind.items()),
    "code": dict(Status.StatusCode.items()),
    "severityNumber": dict(SeverityNumber.items()),
    "aggregationTemporality": dict(AggregationTemporality.items()),
}
_TELLING_ENUMS = ("kind", "severityNumber")
_AFTER_UNDERSCORE = re.compile("_([a-z0-9])")
_HEX = re.compile("[0-9A-Fa-f]*")


def is_canonical(document: Json) -> bool:
    """Return whether a document of OTLP is written in protobuf's own JSON mapping.

    The first record with both an id and an enum settles it, since one writer wrote them all.
    """
    if any(key in document for key in _SNAKE_KEYS):
        return True
    for record in _records(document):
        trace_id = record.get("traceId")
        if "trace_id" in record or _has_enum_name(record):
            return True
        if isinstance(trace_id, str) and trace_id:
            if _is_base64(trace_id, "traceId"):
                return True
            if any(name in record for name in _TELLING_ENUMS):
                return False
    return False


def as_otlp_json(value: Any) -> Any:
    """Return a document, or a part of one, as OTLP/JSON has it."""
    if isinstance(value, list):
        return [as_otlp_json(item) for item in value]
    if not isinstance(value, dict):
        return value
    members = ((_camel(key), inner) for key, inner in value.items())
    return {key: _member(key, inner) for key, inner in members}


def _member(key: str, value: Any) -> Any:
    """Return the value of a member."""
    if not isinstance(value, str):
        return as_otlp_json(value)
    if key in _ID_BYTES and _is_base64(value, key):
        return _decoded(value).hex()
    numbers = _ENUMS.get(key)
    if numbers is None:
        return value
    return int(value) if value.isdecimal() else numbers.get(value, value)


def _records(document: Json) -> Iterator[Json]:
    """Yield the spans and log records of a document, whatever their form."""
    for resources, scopes, records in _LISTS:
        for resource in _objects(document.get(resources)):
            for scope in _objects(resource.get(scopes)):
                yield from _objects(scope.get(records))
            if scopes not in resource:
                yield from ({"trace_id": key} for key in resource if _camel(key) == scopes)


def _objects(items: Any) -> Iterator[Json]:
    """Yield the objects of an array."""
    return (item for item in (items if isinstance(items, list) else ()) if isinstance(item, dict))


def _has_enum_name(record: Json) -> bool:
    """Return whether a record writes an enum by its name."""
    status = record.get("status")
    code = status.get("code") if isinstance(status, dict) else None
    return any(isinstance(value, str) for value in chain(map(record.get, _TELLING_ENUMS), (code,)))


def _is_base64(text: str, key: str) -> bool:
    """Return whether an id is base64 of as many bytes as it should have, and no hex digits."""
    n_bytes = _ID_BYTES[key]
    if len(text) == 2 * n_bytes and _HEX.fullmatch(text):
        return False
    return len(_decoded(text)) == n_bytes


def _decoded(text: str) -> bytes:
    """Return the bytes of base64 of either alphabet, padded or not; nothing when it is none."""
    plain = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _camel(key: str) -> str:
    """Return a key in lowerCamelCase; one that starts with an underscore is nobody's and stays."""
    if "_" not in key or key.startswith("_"):
        return key
    return _AFTER_UNDERSCORE.sub(lambda match: match[1].upper(), key)
