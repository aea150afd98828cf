r"""Cheap tests that spare ordinary prose the libraries.

A recogniser costs tens of microseconds per text even when nothing is there. Nearly all text has
no ``@``, no six digits in a row and no word of 20 characters, and finding that out costs a
thousandth of it. A prefilter returns windows: stretches around the shape, wide enough for any
value and its context, on which alone the libraries run.
"""

import re
import sys
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache

from include.freezeline.redaction.rules import Prefilter

Span = tuple[int, int]

_MARGIN_CHARS = 64
_MAX_WINDOW_CHARS = 2_000
_OVERLAP_CHARS = 256
# A mailbox name has at most 64 characters and a domain 255.
_MAIL_BEFORE_CHARS, _MAIL_AFTER_CHARS = 128, 260
_LONG_TOKEN_CHARS = 20

# Expressions begin with what is rare, not with a look-behind: that is what makes them fast.
_DIGIT_PAIR = re.compile(r"[0-9][^0-9A-Za-z\n]{0,3}[0-9]")
_DIGITS = re.compile(r"[0-9](?:[^0-9A-Za-z\n]{0,3}[0-9]){5,}")
# Runs of digits with the separators of phone numbers. Possessive: a run is taken whole, so that
# a table of numbers is one long run, not thousands of candidates.
PHONE_LIKE = re.compile(r"[0-9](?<![0-9.,][0-9])(?:[ ().\-/]{0,2}[0-9]){6,}+")
_DOTTED = re.compile(r"[0-9]\.[0-9]{1,3}\.[0-9]")
_COLONS = re.compile(r":[0-9A-Fa-f]{0,4}:")
_LETTERS_DIGITS = re.compile(r"[0-9](?<=[A-Za-z][0-9])[0-9]")
_LONG_TOKEN = re.compile(rf"\S{{{_LONG_TOKEN_CHARS},}}")
_KEY_WORDS = ("pass", "pwd", "secret", "key", "contrase")
_ASSIGNED = re.compile(r"[^\s:=]{0,60}\s{0,3}[:=!(]")
_ESCAPE = re.compile(r'\\(?:u[0-9a-fA-F]{4}|[nrtbf"/])')


@lru_cache(maxsize=1)
def _lookalikes() -> dict[int, str]:
    """Map characters that people paste for ASCII ones, each to exactly one character."""
    digits = {
        code: str(unicodedata.digit(chr(code)))
        for code in range(128, sys.maxunicode)
        if unicodedata.category(chr(code)) == "Nd"
    }
    spaces = dict.fromkeys((0xA0, 0x202F, 0x3000, *range(0x2000, 0x200B)), " ")
    dashes = dict.fromkeys((*range(0x2010, 0x2016), 0x2212, 0xFE58, 0xFF0D), "-")
    return {**digits, **spaces, **dashes, 0xFF20: "@", 0xFF0E: ".", 0xFF1A: ":"}


def plain_view(text: str) -> str:
    r"""Return a copy of the same length in which disguises are undone.

    Non-ASCII digits, spaces and dashes become ASCII, and the escapes of JSON inside text
    (``\n4111 ...``) become spaces or the character they stand for, so that a value behind an
    escape still starts at a word boundary. Offsets in the copy are offsets in the text.
    """
    view = text if text.isascii() else text.translate(_lookalikes())
    return _ESCAPE.sub(_unescape, view) if "\\" in view else view


def _unescape(match: re.Match[str]) -> str:
    """Return what an escape stands for, padded to the escape's length."""
    escape = match.group()
    if escape[1] != "u":
        return "  "
    char = chr(int(escape[2:], 16))
    return (char if char.isprintable() else " ").ljust(len(escape))


class Shapes:
    """Windows of one text by prefilter, computed when first asked for."""

    __slots__ = ("_has_number", "_known", "text")

    def __init__(self, text: str) -> None:
        """Keep the text; nothing is computed yet."""
        self.text = text
        self._known: dict[str, list[Span]] = {}
        self._has_number: bool | None = None

    def windows(self, prefilter: Prefilter) -> list[Span]:
        """Return the stretches in which values of this shape may be."""
        found = self._known.get(prefilter)
        if found is None:
            found = self._known[prefilter] = _FINDERS[prefilter](self)
        return found

    def has_number(self) -> bool:
        """Whether the text has two digits that belong together; every digit shape has them."""
        if self._has_number is None:
            self._has_number = _DIGIT_PAIR.search(self.text) is not None
        return self._has_number


def _at_sign(shapes: Shapes) -> list[Span]:
    """Return windows around every ``@``."""
    text = shapes.text
    place = text.find("@")
    spans = []
    while place >= 0:
        spans.append((place - _MAIL_BEFORE_CHARS, place + _MAIL_AFTER_CHARS))
        place = text.find("@", place + 1)
    return _merged(spans, len(text))


def _with_digit(pattern: re.Pattern[str]) -> Callable[[Shapes], list[Span]]:
    """Return a finder of a shape that has a digit in it."""

    def find(shapes: Shapes) -> list[Span]:
        return _around(pattern, shapes.text) if shapes.has_number() else []

    return find


def _colons(shapes: Shapes) -> list[Span]:
    """Return windows around two colons that only hex digits part."""
    return _around(_COLONS, shapes.text)


def _long_token(shapes: Shapes) -> list[Span]:
    """Return windows around words as long as a key."""
    text = shapes.text
    # Splitting is twice as fast as searching with the expression, and nearly always says no.
    if max(map(len, text.split()), default=0) < _LONG_TOKEN_CHARS:
        return []
    return _around(_LONG_TOKEN, text)


def _key(shapes: Shapes) -> list[Span]:
    """Return windows around the assignment of a password or key."""
    text = shapes.text.lower()
    if len(text) != len(shapes.text):  # A few letters grow in lower case; offsets must not.
        text = shapes.text
    ends = sorted(end for word in _KEY_WORDS for end in _assignments(text, word))
    return _merged(((end - 2 * _MARGIN_CHARS, end + _MAIL_AFTER_CHARS) for end in ends), len(text))


def _assignments(text: str, word: str) -> Iterable[int]:
    """Yield where the assignment sign stands after each mention of a word."""
    place = text.find(word)
    while place >= 0:
        match = _ASSIGNED.match(text, place + len(word))
        if match:
            yield match.end()
        place = text.find(word, place + len(word))


def _phone(shapes: Shapes) -> list[Span]:
    """Return windows around what may be a phone number."""
    return _around(PHONE_LIKE, shapes.text) if shapes.windows("digits") else []


def _around(pattern: re.Pattern[str], text: str, *, after: int = _MARGIN_CHARS) -> list[Span]:
    """Return merged windows around every match."""
    spans = ((m.start() - _MARGIN_CHARS, m.end() + after) for m in pattern.finditer(text))
    return _merged(spans, len(text))


def _merged(spans: Iterable[Span], length: int) -> list[Span]:
    """Clip ascending spans to the text, join those that touch and cut what is too long."""
    merged: list[Span] = []
    for start, end in spans:
        low, high = max(start, 0), min(end, length)
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return [piece for span in merged for piece in _cut(span)]


def _cut(span: Span) -> Iterable[Span]:
    """Cut a long window into overlapping ones; the overlap holds any value whole."""
    start, end = span
    while end - start > _MAX_WINDOW_CHARS:
        yield start, start + _MAX_WINDOW_CHARS
        start += _MAX_WINDOW_CHARS - _OVERLAP_CHARS
    yield start, end


_FINDERS: dict[Prefilter, Callable[[Shapes], list[Span]]] = {
    "at_sign": _at_sign,
    "digits": _with_digit(_DIGITS),
    "phone": _phone,
    "dotted": _with_digit(_DOTTED),
    "colons": _colons,
    "letters_digits": _with_digit(_LETTERS_DIGITS),
    "long_token": _long_token,
    "key": _key,
}
