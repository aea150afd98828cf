"""Mend OTLP messages whose texts are not all UTF-8, and tell them from bytes that are no OTLP.

Protobuf refuses a whole message for one such text, and writers in Go do not look. Reading it once
more with every text declared as bytes shows whether that was all that was wrong, and lets the bad
bytes be replaced, as they are in JSON.
"""

from functools import cache
from typing import Any

from google.protobuf.descriptor import FieldDescriptor  # type: ignore[import-untyped]
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
_RAW_BYTES = frozenset({"trace_id", "span_id", "parent_span_id", "bytes_value"})


def mended_message(payload: bytes) -> bytes | None:
    """Return a message with every text in UTF-8, bad bytes replaced; None when it is no OTLP.

    Args:
        payload: A message that could not be parsed.
    """
    for kind, is_real in zip(_byte_messages(), (_has_spans, _has_logs), strict=True):
        message = _parse(kind, payload)
        if is_real(message):
            _mend(message)
            return bytes(message.SerializeToString())
    return None


def _mend(message: Any) -> None:
    """Replace bad bytes in every text of a message and those below it."""
    for described, value in message.ListFields():
        if described.type == FieldDescriptor.TYPE_MESSAGE:
            for below in value if described.is_repeated else (value,):
                _mend(below)
        elif described.type == FieldDescriptor.TYPE_BYTES and described.name not in _RAW_BYTES:
            if described.is_repeated:
                value[:] = map(_mended, value)
            else:
                setattr(message, described.name, _mended(value))


def _mended(text: bytes) -> bytes:
    """Return a text in UTF-8."""
    return text.decode("utf-8", "replace").encode()


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
