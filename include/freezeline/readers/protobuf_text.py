"""Tell OTLP messages with one text that is not UTF-8 from bytes that are no OTLP at all.

Protobuf refuses a whole message for one such text. Reading it once more with every text declared
as bytes shows whether that was all that was wrong, which is a defect of the exporter's
instrumentation and not of the object.
"""

from functools import cache
from typing import Any

from google.protobuf.descriptor_pb2 import (  # type: ignore[import-untyped]
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)
from google.protobuf.descriptor_pool import DescriptorPool  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from google.protobuf.message_factory import GetMessageClass  # type: ignore[import-untyped]
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.logs.v1 import logs_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

_FILES = (common_pb2, resource_pb2, trace_pb2, logs_pb2)
_TRACE_ID_BYTES = 16
_SPAN_ID_BYTES = 8


def is_otlp_but_not_utf8(payload: bytes) -> bool:
    """Return whether a message that could not be parsed holds spans or logs all the same."""
    traces, logs = (_parse(kind, payload) for kind in _byte_messages())
    return _has_spans(traces) or _has_logs(logs)


def _has_spans(message: Any) -> bool:
    """Return whether a parsed message holds a span with ids."""
    return message is not None and any(
        len(span.trace_id) == _TRACE_ID_BYTES and len(span.span_id) == _SPAN_ID_BYTES
        for resource in message.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    )


def _has_logs(message: Any) -> bool:
    """Return whether a parsed message holds a log record with a time."""
    return message is not None and any(
        record.time_unix_nano or record.observed_time_unix_nano
        for resource in message.resource_logs
        for scope in resource.scope_logs
        for record in scope.log_records
    )


def _parse(kind: Any, payload: bytes) -> Any:
    """Return the parsed message, or None."""
    message = kind()
    try:
        message.ParseFromString(payload)
    except DecodeError:
        return None
    return message


@cache
def _byte_messages() -> tuple[Any, Any]:
    """Return TracesData and LogsData with every text declared as bytes."""
    pool = DescriptorPool()
    for module in _FILES:
        described = FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(described)
        for message in described.message_type:
            _declare_bytes(message)
        pool.Add(described)
    names = ("opentelemetry.proto.trace.v1.TracesData", "opentelemetry.proto.logs.v1.LogsData")
    traces, logs = (GetMessageClass(pool.FindMessageTypeByName(name)) for name in names)
    return traces, logs


def _declare_bytes(message: DescriptorProto) -> None:
    """Declare a message's texts as bytes; both look the same on the wire."""
    for field in message.field:
        if field.type == FieldDescriptorProto.TYPE_STRING:
            field.type = FieldDescriptorProto.TYPE_BYTES
    for nested in message.nested_type:
        _declare_bytes(nested)
