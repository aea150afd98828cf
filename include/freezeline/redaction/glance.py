"""Look at JSON as a whole: most documents hold nothing, and need not be walked leaf by leaf."""

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

import orjson

from include.freezeline.redaction.json_text import CARD_DIGITS, MAX_DEPTH
from include.freezeline.redaction.keys import NAME_KEYS, TellingKeys
from include.freezeline.redaction.known import KnownTexts

_LEAST_CARD: int = 10 ** (CARD_DIGITS.start - 1)
_STYLE_CHARS = 300
# What the text of a document can begin with.
_MAY_OPEN = frozenset("{[ \t\r\n\v\f")


def may_open(text: str) -> bool:
    """Return whether a string may hold a document."""
    return text[:1] in _MAY_OPEN


class PlainJson(NamedTuple):
    """A document of which each text can be looked at alone.

    Attributes:
        document: The parsed document.
        texts: Its strings, keys and long integers, and those of documents inside its strings, but
            for those that are known to hold nothing.
        is_flat: Whether no string holds a document.
        is_as_written: Whether orjson writes the document as it was.
    """

    document: Any
    texts: list[str]
    is_flat: bool
    is_as_written: bool


def plain_json(json_text: str, keys: TellingKeys, known: KnownTexts) -> PlainJson | None:
    """Return a document in which no key tells anything about its value and none hides another.

    Everything else, and what is no JSON, is None: it has to be walked.

    Args:
        json_text: What may be JSON.
        keys: Which keys tell something.
        known: Texts that hold nothing; they are left out.
    """
    try:
        glance = _Glance(keys, known)
        document = _without_doubles(json_text)
        is_as_written = document is not None
        if document is None:
            document = json.loads(json_text, object_pairs_hook=_members)
        glance.look(document, 0)
    except (ValueError, RecursionError):
        return None
    return PlainJson(document, glance.texts, glance.is_flat, is_as_written)


class _NotPlainError(ValueError):
    """A document must be walked."""


def _without_doubles(json_text: str) -> Any:
    """Return a document that surely repeats no key, because it is written as orjson writes."""
    if '": ' in json_text[:_STYLE_CHARS]:  # nobody changes style within a document
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

    __slots__ = ("_keys", "_known", "is_flat", "texts")

    def __init__(self, keys: TellingKeys, known: KnownTexts) -> None:
        """Know which keys tell something, and which texts need no look; no text seen."""
        self._keys = keys
        self._known = known
        self.texts: list[str] = []
        self.is_flat = True

    def look(self, value: Any, depth: int) -> None:
        """Take the texts of a value, or give up because of its keys or depth."""
        kind = type(value)
        items = self._members(value) if kind is dict else value if kind is list else (value,)
        short = self._known.short
        for item in items:
            kind = type(item)
            if kind is str:
                if item not in short:
                    self._take(item)
            elif kind is dict or kind is list:
                if depth + 1 >= MAX_DEPTH:
                    raise _NotPlainError
                self.look(item, depth + 1)
            elif kind is int and (item >= _LEAST_CARD or item <= -_LEAST_CARD):
                self.texts.append(str(item))

    def _members(self, members: dict[str, Any]) -> Iterable[Any]:
        """Return the values of an object and take its keys, those that are not known."""
        names = self._known.shapes.get(tuple(members))
        if names is None:
            self._take_keys(members)
        elif names and not self._keys.are_plain_names(members, names):
            raise _NotPlainError
        return members.values()

    def _take_keys(self, members: dict[str, Any]) -> None:
        """Take the keys of an object, or give up; those that are known need no look again."""
        if not self._keys.are_plain(members):
            raise _NotPlainError
        short = self._known.short
        new = [key for key in members if key not in short]
        if new:
            self.texts.extend(new)
        else:
            self._known.note_shape(tuple(members), NAME_KEYS)

    def _take(self, text: str) -> None:
        """Take a text, and those of a document in it, of which being known says nothing."""
        if may_open(text):
            self.texts.append(text)
            self._look_inside(text)
        elif text not in self._known:
            self.texts.append(text)

    def _look_inside(self, text: str) -> None:
        """Take the texts of a document in a string as well."""
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            return
        if isinstance(document, list | dict):
            inner = plain_json(text, self._keys, self._known)
            if inner is None:
                raise _NotPlainError
            self.texts.extend(inner.texts)
            self.is_flat = False
