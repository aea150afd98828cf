"""What a parsed JSON document is: OTLP, or the document of a producer that is not read yet."""

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from include.freezeline.readers.otlp_json import SIGNAL_OF_KEY, parse_otlp_document
from include.freezeline.readers.records import Record, Refused
from include.freezeline.readers.rules import BlockList

NESTED_TOO_DEEPLY = "nested_too_deeply"
_SNAKE_KEYS = ("resource_spans", "resource_logs", "resource_metrics")
_LANGFUSE_KEY = re.compile(r"/(?:traces|observations|observations_v2|scores)/[^/]+$")


class Document(NamedTuple):
    """A recognised document.

    Attributes:
        producer: otlp, litellm, upload_hook, bedrock, langfuse_export, s3_event or unknown.
        signal: traces, logs, metrics or unknown.
        records: Its records in order.
    """

    producer: str
    signal: str
    records: Iterator[Record]


def read_document(key: str, data: Any, blocked: BlockList) -> Document:
    """Recognise a document by its members.

    Args:
        key: The object's key; only Langfuse's export needs it.
        data: The parsed JSON value.
        blocked: Attributes to drop.
    """
    if isinstance(data, dict):
        signals = [SIGNAL_OF_KEY[member] for member in SIGNAL_OF_KEY if member in data]
        if signals or not data:
            signal = signals[0] if signals else "unknown"
            return Document("otlp", signal, parse_otlp_document(data, blocked))
    elif isinstance(data, list) and not _is_message_array(data):
        documents = [_read_item(key, item, blocked) for item in data]
        producer, signal = (documents[0][:2]) if documents else ("unknown", "unknown")
        return Document(producer, signal, (r for each in documents for r in each.records))
    producer, refused = _refusal(key, data)
    return Document(producer, "unknown", iter((refused,)))


def _read_item(key: str, item: Any, blocked: BlockList) -> Document:
    """Recognise a document inside an array; arrays inside arrays are nobody's format.

    Following them down would let a few brackets exhaust the stack.
    """
    if isinstance(item, list) and not _is_message_array(item):
        refused = Refused(NESTED_TOO_DEEPLY, "expected documents in one array, got deeper ones")
        return Document("unknown", "unknown", iter((refused,)))
    return read_document(key, item, blocked)


def _refusal(key: str, data: Any) -> tuple[str, Refused]:
    """Return the producer of a document that is not OTLP, and why it is not read."""
    if isinstance(data, dict) and any(member in data for member in _SNAKE_KEYS):
        return "otlp", Refused("not_otlp_json:snake_case_keys", "keys must be lowerCamelCase")
    for producer, is_producer in _PRODUCERS:
        if is_producer(key, data):
            detail = f"documents of {producer} are not landed yet"
            return producer, Refused(f"unsupported_dialect:{producer}", detail)
    if isinstance(data, dict) and _is_s3_event(data):
        return "s3_event", Refused("unsupported_document:s3_event", "an upload notification")
    detail = "expected resourceSpans, resourceLogs or resourceMetrics"
    return "unknown", Refused("unknown_document", detail)


def _has(data: Any, *members: str) -> bool:
    """Return whether a value is an object with all of these members."""
    return isinstance(data, dict) and all(member in data for member in members)


def _is_message_array(data: list[Any]) -> bool:
    """Return whether an array holds messages, message parts or tool definitions."""
    return bool(data) and all(
        _has(item, "role", "parts") or _has(item, "type", "content") or _has(item, "name", "type")
        or _has(item, "name", "parameters")
        for item in data
    )  # fmt: skip


def _is_s3_event(data: dict[str, Any]) -> bool:
    """Return whether a document is an S3 event notification."""
    records = data.get("Records")
    return isinstance(records, list) and bool(records) and _has(records[0], "eventSource")


def _is_upload_hook(_: str, data: Any) -> bool:
    """Return whether a document is message content that a GenAI upload hook wrote."""
    return _has(data, "role", "parts") or (isinstance(data, list) and _is_message_array(data))


def _is_langfuse_export(key: str, data: Any) -> bool:
    """Return whether a document is a row of a Langfuse blob export, or its manifest."""
    if _has(data, "exportSource", "files"):
        return True
    return _has(data, "id", "project_id") and _LANGFUSE_KEY.search(f"/{key}") is not None


_PRODUCERS: tuple[tuple[str, Callable[[str, Any], bool]], ...] = (
    ("litellm", lambda _, data: _has(data, "call_type", "startTime")),
    ("bedrock", lambda _, data: _has(data, "schemaType", "modelId")),
    ("langfuse_export", _is_langfuse_export),
    ("upload_hook", _is_upload_hook),
)
