"""Look at JSON as a whole: most documents hold nothing, and need not be walked leaf by leaf."""

import json
from typing import Any

import orjson

from include.freezeline.redaction.json_text import CARD_DIGITS, MAX_DEPTH
from include.freezeline.redaction.keys import TellingKeys

_LEAST_CARD: int = 10 ** (CARD_DIGITS.start - 1)
# What the text of a document can begin with.
_MAY_OPEN = frozenset("{[ \t\r\n\v\f")


def plain_texts(json_text: str, keys: TellingKeys) -> list[str] | None:
    """Return all strings, keys and long integers of a document that need not be walked.

    That is JSON in which no key tells anything about its value and none hides another, so that
    each text can be looked at alone. Everything else is None.

    Args:
        json_text: What may be JSON.
        keys: Which keys tell something.
    """
    try:
        glance = _Glance(keys)
        document = _without_doubles(json_text)
        if document is None:
            document = json.loads(json_text, object_pairs_hook=_members)
        glance.look(document, 0)
    except (ValueError, RecursionError):
        return None
    return glance.texts


class _NotPlainError(ValueError):
    """A document must be walked."""


def _without_doubles(json_text: str) -> Any:
    """Return a document that surely repeats no key, because it is written as orjson writes."""
    if '": ' in json_text or '" :' in json_text:
        return None
    try:
        raw = json_text.encode()
        document = orjson.loads(raw)
        return document if orjson.dumps(document) == raw else None
    except (UnicodeEncodeError, orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object, unless a key hides another."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _NotPlainError
    return members


class _Glance:
    """Takes the texts of one document."""

    def __init__(self, keys: TellingKeys) -> None:
        """Know which keys tell something; no text seen."""
        self._are_plain = keys.are_plain
        self._keys = keys
        self.texts: list[str] = []

    def look(self, value: Any, depth: int) -> None:
        """Take the texts of a value, or give up because of its keys or depth."""
        kind = type(value)
        if kind is str:
            self.texts.append(value)
            if value[:1] in _MAY_OPEN:
                self._look_inside(value)
        elif kind is dict:
            if depth >= MAX_DEPTH or not self._are_plain(value):
                raise _NotPlainError
            self.texts.extend(value)
            for item in value.values():
                self.look(item, depth + 1)
        elif kind is list:
            if depth >= MAX_DEPTH:
                raise _NotPlainError
            for item in value:
                self.look(item, depth + 1)
        elif kind is int and value >= _LEAST_CARD:
            self.texts.append(str(value))

    def _look_inside(self, text: str) -> None:
        """Take the texts of a document in a string as well."""
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            return
        if isinstance(document, list | dict):
            inner = plain_texts(text, self._keys)
            if inner is None:
                raise _NotPlainError
            self.texts.extend(inner)
