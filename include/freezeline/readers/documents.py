"""What a parsed JSON document is: OTLP, the document of another producer, or unknown."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from include.freezeline.readers.otlp_canonical import as_otlp_json, is_canonical
from include.freezeline.readers.otlp_json import SIGNAL_OF_KEY, parse_otlp_document
from include.freezeline.readers.records import Record, Refused
from include.freezeline.readers.registry import find_producer
from include.freezeline.readers.rules import BlockList

NESTED_TOO_DEEPLY = "nested_too_deeply"


class Document(NamedTuple):
    """A recognised document.

    Attributes:
        producer: otlp, otlp_canonical (protobuf's own JSON mapping of it), the name of a
            producer of the registry, s3_event, bedrock or unknown.
        signal: traces, logs, metrics, scores, content or unknown.
        records: Its records in order.
    """

    producer: str
    signal: str
    records: Iterator[Record]


def read_document(key: str, data: Any, blocked: BlockList) -> Document:
    """Recognise a document by its members.

    Args:
        key: The object's key; content objects are named by it.
        data: The parsed JSON value.
        blocked: Attributes to drop.
    """
    if isinstance(data, dict):
        name = "otlp"
        if is_canonical(data):
            data, name = as_otlp_json(data), "otlp_canonical"
        signals = [SIGNAL_OF_KEY[member] for member in SIGNAL_OF_KEY if member in data]
        if signals or not data:
            signal = signals[0] if signals else "unknown"
            return Document(name, signal, parse_otlp_document(data, blocked))
    producer = find_producer(data)
    if producer is not None:
        return Document(producer.name, producer.signal, producer.read(key, data, blocked))
    if isinstance(data, list):
        documents = [_read_item(key, item, blocked) for item in data]
        name, signal = (documents[0][:2]) if documents else ("unknown", "unknown")
        return Document(name, signal, (r for each in documents for r in each.records))
    name, refused = _refusal(data)
    return Document(name, "unknown", iter((refused,)))


def _read_item(key: str, item: Any, blocked: BlockList) -> Document:
    """Recognise a document inside an array; arrays inside arrays are nobody's format.

    Following them down would let a few brackets exhaust the stack.
    """
    if isinstance(item, list):
        refused = Refused(NESTED_TOO_DEEPLY, "expected documents in one array, got deeper ones")
        return Document("unknown", "unknown", iter((refused,)))
    return read_document(key, item, blocked)


def _refusal(data: Any) -> tuple[str, Refused]:
    """Return the producer of a document that nobody reads, and why it is not read."""
    if isinstance(data, dict):
        if "schemaType" in data and "modelId" in data:
            detail = "invocation logs of Amazon Bedrock are not landed yet"
            return "bedrock", Refused("unsupported_document:bedrock", detail)
        if _is_s3_event(data):
            return "s3_event", Refused("unsupported_document:s3_event", "an upload notification")
    detail = "expected resourceSpans, resourceLogs, resourceMetrics or a known producer's document"
    return "unknown", Refused("unknown_document", detail)


def _is_s3_event(data: dict[str, Any]) -> bool:
    """Return whether a document is an S3 event notification."""
    records = data.get("Records")
    return (
        isinstance(records, list)
        and bool(records)
        and isinstance(records[0], dict)
        and "eventSource" in records[0]
    )
