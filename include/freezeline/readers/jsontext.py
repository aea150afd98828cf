"""JSON in and out, forgiving where the data is only untidy and strict about what is written.

orjson is fast but refuses lone surrogates, NaN, very deep values and line ends inside a text,
which real traces contain; the standard library accepts them. Whatever was accepted is cleaned, so
that it can be written as UTF-8 and read as JSON by anybody.
"""

import json
import re
from typing import Any, NamedTuple

import orjson

from include.freezeline.readers.values import to_double

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class JsonText(NamedTuple):
    """A JSON text and what it means.

    Attributes:
        text: Valid JSON.
        data: The parsed value; None when the source's text was not JSON and ``text`` quotes it.
    """

    text: str
    data: Any


def parse_json(source: str | bytes | memoryview) -> Any:
    """Parse JSON text.

    Raises:
        ValueError: It is not JSON, not UTF-8, or nested too deeply.
    """
    try:
        return orjson.loads(source)
    except orjson.JSONDecodeError:
        return _parse_leniently(source if isinstance(source, str) else bytes(source))


def write_json(value: Any) -> str:
    """Return a value as JSON text: compact, in the order given, not-a-number as its name."""
    try:
        return orjson.dumps(value).decode("utf-8")
    except TypeError:  # lone surrogates, integers beyond 64 bits, deep nesting
        return json.dumps(_clean(value), ensure_ascii=False, separators=(",", ":"))


def parse_json_text(value: Any) -> JsonText:
    """Return an attribute that should hold JSON, as text or as a structured value.

    A text that is not JSON (cut off by a size limit, or plain words) is kept as a JSON string.
    """
    if not isinstance(value, str):
        return JsonText(write_json(value), value)
    try:
        return JsonText(value, orjson.loads(value))
    except orjson.JSONDecodeError:
        pass
    try:
        data = _parse_leniently(value)
    except ValueError:
        return JsonText(write_json(value), None)
    return JsonText(write_json(data), data)


def clean_text(text: str) -> str:
    """Return text that can be encoded as UTF-8; lone surrogates become replacement characters."""
    return _LONE_SURROGATE.sub("\ufffd", text)


def _parse_leniently(source: str | bytes) -> Any:
    """Parse with the standard library and clean the result."""
    try:
        return _clean(json.loads(source, strict=False))
    except RecursionError:
        message = "nested too deeply"
        raise ValueError(message) from None


def _clean(value: Any) -> Any:
    """Return the value with every string encodable and every number finite."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, float):
        return to_double(value)
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {clean_text(str(key)): _clean(item) for key, item in value.items()}
    return value
