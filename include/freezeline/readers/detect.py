"""What an object's bytes are, decided by content and never by name.

The order of the questions matters and is the one that works for everything collectors, their
file and S3 exporters and home-made writers leave in buckets: empty, packed, byte order mark,
JSON, JSON lines, length-framed, protobuf.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from include.freezeline.errors import ReadError
from include.freezeline.readers.compression import GZIP_MAGIC, ZSTD_MAGIC, unpack
from include.freezeline.readers.jsontext import parse_json
from include.freezeline.readers.records import Refused

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_FRAME_HEADER_BYTES = 4
_PROTOBUF_TAG = b"\x0a"
_FRAME_STARTS = (ZSTD_MAGIC, GZIP_MAGIC, b"{", _PROTOBUF_TAG)
_BLANK = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class JsonDocument:
    """One parsed JSON document of an object.

    Attributes:
        data: The parsed value.
    """

    data: Any


@dataclass(frozen=True, slots=True)
class ProtobufMessage:
    """One serialised protobuf message of an object.

    Attributes:
        payload: Its bytes.
    """

    payload: bytes


Part = JsonDocument | ProtobufMessage | Refused


@dataclass(frozen=True, slots=True)
class Body:
    """The unpacked content of an object.

    Attributes:
        framing: empty, single, lines or framed.
        parts: Documents and messages in order; what could not be read is refused in its place.
    """

    framing: str
    parts: tuple[Part, ...]


def detect_body(data: bytes) -> Body:
    """Unpack an object and split it into documents or messages.

    Raises:
        ReadError: The bytes are none of the known forms, or damaged.
    """
    content = unpack(data).removeprefix(_BYTE_ORDER_MARK)
    start = content.lstrip(_BLANK)[:1]
    if not start:
        return Body("empty", ())
    if start in (b"{", b"["):
        try:
            return _json_body(content)
        except ReadError:
            # Protobuf's first tag is a line feed, and a length of 123 or 91 bytes looks like a
            # bracket after it.
            if not content.startswith(_PROTOBUF_TAG):
                raise
    if _is_framed(content):
        return Body("framed", tuple(_frames(content)))
    if content.startswith(_PROTOBUF_TAG):
        return Body("single", (ProtobufMessage(content),))
    if content.startswith(b"PAR1"):
        reason = "unsupported_format:parquet"
        raise ReadError(reason)
    reason = "unknown_format"
    raise ReadError(reason)


def _json_body(content: bytes) -> Body:
    """Return one JSON document, or a document per line."""
    try:
        return Body("single", (JsonDocument(parse_json(content)),))
    except ValueError as error:
        problem = _problem(error)
    lines = [line for line in content.splitlines() if line.strip(_BLANK)]
    parts = tuple(_json_part(line) for line in lines)
    if len(parts) < 2 or not isinstance(parts[0], JsonDocument):
        raise ReadError(problem)
    return Body("lines", parts)


def _json_part(text: bytes) -> Part:
    """Return a document, or the refusal of a text that is none."""
    try:
        return JsonDocument(parse_json(text))
    except ValueError as error:
        return Refused(_problem(error), f"{len(text)} bytes that are not one JSON document")


def _problem(error: ValueError) -> str:
    """Return the reason code of a JSON error."""
    return "not_utf8" if isinstance(error, UnicodeDecodeError) else "invalid_json"


def _is_framed(content: bytes) -> bool:
    """Return whether the first four bytes are the length of something we know."""
    length = int.from_bytes(content[:_FRAME_HEADER_BYTES], "big")
    fits = 0 < length <= len(content) - _FRAME_HEADER_BYTES
    return fits and content.startswith(_FRAME_STARTS, _FRAME_HEADER_BYTES)


def _frames(content: bytes) -> Iterator[Part]:
    """Yield the content of every frame: big-endian length, then a message or document."""
    position = 0
    while position < len(content):
        start = position + _FRAME_HEADER_BYTES
        length = int.from_bytes(content[position:start], "big")
        position = start + length
        if start > len(content) or position > len(content):
            yield Refused("truncated_frame", f"frame of {length} bytes goes beyond the object")
            return
        yield _frame_part(content[start:position])


def _frame_part(payload: bytes) -> Part:
    """Return the content of one frame."""
    try:
        payload = unpack(payload)
    except ReadError as error:
        return Refused(error.reason, f"packed frame of {len(payload)} bytes")
    if payload.lstrip(_BLANK)[:1] == b"{":
        return _json_part(payload)
    return ProtobufMessage(payload)
