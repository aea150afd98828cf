"""What an object's bytes are, decided by content and never by name.

The order of the questions matters and is the one that works for everything collectors, their
file and S3 exporters and home-made writers leave in buckets: empty, packed, byte order mark,
JSON, JSON lines, length-framed, protobuf, Parquet, CSV.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
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
from include.freezeline.readers.tables import TableBody, open_table

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_FRAME_HEADER_BYTES = 4
_NO_LENGTH = bytes(_FRAME_HEADER_BYTES)
_PROTOBUF_TAG = b"\x0a"
_FRAME_STARTS = (
    ZSTD_MAGIC, *ZSTD_SKIPPABLE_MAGICS, GZIP_MAGIC, _BYTE_ORDER_MARK, b"{", b"[", _PROTOBUF_TAG,
)  # fmt: skip
_JSON_STARTS = (b"{", b"[")
_SECOND_TAG = b"\x12"  # in every message that holds a scope, and in no JSON
# Blanks of JSON, and the record separator that starts each document of a JSON text sequence.
_NOT_BLANK = re.compile(rb"[^ \t\r\n\x1e]")
_NEXT_CHARACTER = re.compile("[^\\s,\ufeff]")  # joined files have a byte order mark inside
_LINE_END = re.compile(r"[\r\n]")
# Inside a document that is spread over lines only closing brackets stand at the margin.
_NEXT_AT_MARGIN = re.compile(r"[\r\n](?=[^\s}\]])")
_UNDECODED = re.compile("[\udc80-\udcff]")
_decoder = JSONDecoder(strict=False)


@dataclass(frozen=True, slots=True)
class JsonDocument:
    """One parsed JSON document of an object.

    Attributes:
        data: The parsed value.
        is_mended: Whether bytes that are no UTF-8 were replaced in it.
    """

    data: Any
    is_mended: bool = False


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
        framing: empty, single, lines, framed, parquet or csv.
        parts: Documents and messages in order, to be gone through once; they are parsed one at a
            time, so that an object of many lines is never in memory as a whole in parsed form.
            What could not be read is refused in its place.
        form: Producer and signal, where they are known before any part: in tables.
    """

    framing: str
    parts: Iterable[Part]
    form: tuple[str, str] | None = None


def detect_body(data: bytes) -> Body:
    """Unpack an object and split it into documents or messages.

    Raises:
        ReadError: The bytes are none of the known forms, or damaged.
    """
    content = unpack(data).removeprefix(_BYTE_ORDER_MARK)
    if _NOT_BLANK.search(content) is None:
        return Body("empty", ())
    if _is_json(content):
        return _json_body(content)
    if _is_framed(content):
        return Body("framed", _frames(content))
    if content.startswith(_PROTOBUF_TAG):
        return Body("single", (ProtobufMessage(content),))
    table = open_table(content)
    if table is not None:
        return Body(table.framing, _table_parts(table), (table.producer, table.signal))
    # A first line that is torn or a stray message does not make the lines below it worthless.
    if any(mark in content for mark in (b"\n{", b"\n[")):
        return _json_body(content, otherwise="unknown_format")
    reason = "unknown_format"
    raise ReadError(reason)


def _table_parts(table: TableBody) -> Iterator[Part]:
    """Yield each row of a table as a document."""
    for row in table.rows:
        yield row if isinstance(row, Refused) else JsonDocument(row)


def _is_json(content: bytes) -> bool:
    """Return whether content starts like JSON and is no protobuf message.

    Protobuf's first tag is a line feed, and a length of 123 or 91 bytes looks like a bracket
    after it.
    """
    if not content.startswith(_JSON_STARTS, _after_blanks(content, 0)):
        return False
    return not (content.startswith(_PROTOBUF_TAG) and _SECOND_TAG in content)


def _json_body(content: bytes, *, otherwise: str | None = None) -> Body:
    """Return one JSON document or several, one per line or one after another.

    Args:
        content: The unpacked bytes.
        otherwise: Reason to give when no document is found; else the first problem is given.
    """
    first = _first_line(content)
    if first is not None:
        document, end = first
        return Body("lines", chain((JsonDocument(document),), _lines(content, end)))
    try:
        return Body("single", (JsonDocument(parse_json(content)),))
    except ValueError:
        pass
    parts = _documents(content.decode("utf-8", "surrogateescape"))
    head: list[Part] = []
    for part in parts:
        head.append(part)
        if len(head) > 1 and any(isinstance(each, JsonDocument) for each in head[-2:]):
            return Body("lines", chain(head, parts))
    if not any(isinstance(part, JsonDocument) for part in head):
        problem = next((part.reason for part in head if isinstance(part, Refused)), "invalid_json")
        raise ReadError(otherwise or problem)
    return Body("single", head)


def _first_line(content: bytes) -> tuple[Any, int] | None:
    """Return the document on the first line and where it ends, if more follows below it."""
    start = _NOT_BLANK.search(content)
    end = content.find(b"\n", start.start() if start else 0)
    if end < 0 or _NOT_BLANK.search(content, end) is None:
        return None
    try:
        return parse_json(content[:end]), end
    except ValueError:
        return None


def _lines(content: bytes, position: int) -> Iterator[Part]:
    """Yield a document per line, the usual case, and from a line that is none on whatever is found."""
    while (position := _after_blanks(content, position)) < len(content):
        end = content.find(b"\n", position)
        end = len(content) if end < 0 else end
        try:
            if not content.startswith(_JSON_STARTS, position):
                break
            document = parse_json(memoryview(content)[position:end])
        except ValueError:
            break
        position = end
        yield JsonDocument(document)
    if position < len(content):
        yield from _documents(content[position:].decode("utf-8", "surrogateescape"))


def _after_blanks(content: bytes, position: int) -> int:
    """Return where the next character that is not blank stands, or the end."""
    match = _NOT_BLANK.search(content, position)
    return match.start() if match else len(content)


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
    # One bad byte in one text must not cost the whole document; parse_json has replaced it.
    return JsonDocument(document, _UNDECODED.search(text, start, end) is not None), end


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


def _frame_parts(payload: bytes) -> Iterable[Part]:
    """Return the content of one frame; it may hold as many documents as an object may."""
    try:
        content = unpack(payload).removeprefix(_BYTE_ORDER_MARK)
        if _NOT_BLANK.search(content) is None:
            return ()
        return _json_body(content).parts if _is_json(content) else (ProtobufMessage(content),)
    except ReadError as error:
        return (Refused(error.reason, f"frame of {len(payload)} bytes"),)
