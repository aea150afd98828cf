"""What an object's bytes are, decided by content and never by name.

The order of the questions matters and is the one that works for everything collectors, their
file and S3 exporters and home-made writers leave in buckets: empty, packed, byte order mark,
JSON, JSON lines, length-framed, protobuf.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from json import JSONDecoder
from typing import Any

from include.freezeline.errors import ReadError
from include.freezeline.readers.compression import (
    GZIP_MAGIC,
    ZSTD_MAGIC,
    ZSTD_SKIPPABLE_MAGICS,
    unpack,
)
from include.freezeline.readers.jsontext import parse_json
from include.freezeline.readers.records import Refused

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_FRAME_HEADER_BYTES = 4
_NO_LENGTH = bytes(_FRAME_HEADER_BYTES)
_PROTOBUF_TAG = b"\x0a"
_FRAME_STARTS = (
    ZSTD_MAGIC, *ZSTD_SKIPPABLE_MAGICS, GZIP_MAGIC, _BYTE_ORDER_MARK, b"{", b"[", _PROTOBUF_TAG,
)  # fmt: skip
_JSON_STARTS = (b"{", b"[")
_SECOND_TAG = b"\x12"  # in every message that holds a scope, and in no JSON
_BLANK = b" \t\r\n"
_NEXT_CHARACTER = re.compile(r"[^\s,]")
_LINE_END = re.compile(r"[\r\n]")
# Inside a document that is spread over lines only closing brackets stand at the margin.
_NEXT_AT_MARGIN = re.compile(r"[\r\n](?=[^\s}\]])")
_UNDECODED = re.compile("[\udc80-\udcff]")
_decoder = JSONDecoder()


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
    if not content.strip(_BLANK):
        return Body("empty", ())
    if _is_json(content):
        return _json_body(content)
    if _is_framed(content):
        return Body("framed", tuple(_frames(content)))
    if content.startswith(_PROTOBUF_TAG):
        return Body("single", (ProtobufMessage(content),))
    if content.startswith(b"PAR1"):
        reason = "unsupported_format:parquet"
        raise ReadError(reason)
    # A first line that is torn or a stray message does not make the lines below it worthless.
    if any(mark in content for mark in (b"\n{", b"\n[")):
        return _json_body(content, otherwise="unknown_format")
    reason = "unknown_format"
    raise ReadError(reason)


def _is_json(content: bytes) -> bool:
    """Return whether content starts like JSON and is no protobuf message.

    Protobuf's first tag is a line feed, and a length of 123 or 91 bytes looks like a bracket
    after it.
    """
    if not content.lstrip(_BLANK).startswith(_JSON_STARTS):
        return False
    return not (content.startswith(_PROTOBUF_TAG) and _SECOND_TAG in content)


def _json_body(content: bytes, *, otherwise: str | None = None) -> Body:
    """Return one JSON document or several, one per line or one after another.

    Args:
        content: The unpacked bytes.
        otherwise: Reason to give when no document is found; else the first problem is given.
    """
    try:
        return Body("single", (JsonDocument(parse_json(content)),))
    except ValueError:
        pass
    parts = _all_lines(content) or tuple(_documents(content.decode("utf-8", "surrogateescape")))
    if not any(isinstance(part, JsonDocument) for part in parts):
        problem = next((part.reason for part in parts if isinstance(part, Refused)), "invalid_json")
        raise ReadError(otherwise or problem)
    return Body("single" if len(parts) == 1 else "lines", parts)


def _all_lines(content: bytes) -> tuple[Part, ...]:
    """Return a document per line, the usual case, or nothing when some line is none."""
    parts: list[Part] = []
    for line in content.splitlines():
        if stripped := line.strip(_BLANK):
            if not stripped.startswith(_JSON_STARTS):
                return ()
            try:
                parts.append(JsonDocument(parse_json(stripped)))
            except ValueError:
                return ()
    return tuple(parts)


def _documents(text: str) -> Iterator[Part]:
    """Yield documents wherever they start and end; what lies between them is refused."""
    position = 0
    while match := _NEXT_CHARACTER.search(text, position):
        part, position = _next_document(text, match.start())
        yield part


def _next_document(text: str, start: int) -> tuple[Part, int]:
    """Return the document or refusal at a position, and where it ends."""
    if text[start] not in "{[":
        match = _LINE_END.search(text, start)
        return _refused(text, start, match.start() if match else len(text))
    try:
        _, end = _decoder.raw_decode(text, start)
        document = parse_json(text[start:end])
    except (ValueError, RecursionError):
        # Not from where the error is: a torn line reads on into the good one below it.
        match = _NEXT_AT_MARGIN.search(text, start)
        return _refused(text, start, match.start() if match else len(text))
    if _UNDECODED.search(text, start, end):
        return _refused(text, start, end)
    return JsonDocument(document), end


def _refused(text: str, start: int, end: int) -> tuple[Refused, int]:
    """Return the refusal of a piece of text, and its end."""
    problem = "not_utf8" if _UNDECODED.search(text, start, end) else "invalid_json"
    return Refused(problem, f"{end - start} characters that are not one JSON document"), end


def _is_framed(content: bytes) -> bool:
    """Return whether the first frame that is not empty has the length of something we know."""
    position = 0
    while content.startswith(_NO_LENGTH, position):
        position += _FRAME_HEADER_BYTES
    start = position + _FRAME_HEADER_BYTES
    length = int.from_bytes(content[position:start], "big")
    fits = 0 < length <= len(content) - start
    return fits and content.startswith(_FRAME_STARTS, start)


def _frames(content: bytes) -> Iterator[Part]:
    """Yield the content of every frame: big-endian length, then a message or documents."""
    position = 0
    while position < len(content):
        start = position + _FRAME_HEADER_BYTES
        length = int.from_bytes(content[position:start], "big")
        position = start + length
        if start > len(content) or position > len(content):
            yield Refused("truncated_frame", f"frame of {length} bytes goes beyond the object")
            return
        yield from _frame_parts(content[start:position])


def _frame_parts(payload: bytes) -> tuple[Part, ...]:
    """Return the content of one frame; it may hold as many documents as an object may."""
    try:
        content = unpack(payload).removeprefix(_BYTE_ORDER_MARK)
        if not content.strip(_BLANK):
            return ()
        return _json_body(content).parts if _is_json(content) else (ProtobufMessage(content),)
    except ReadError as error:
        return (Refused(error.reason, f"frame of {len(payload)} bytes"),)
