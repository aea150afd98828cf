r"""One pass over a text that spares nearly all of it the libraries.

A recogniser costs tens of microseconds per text even when nothing is there. Each rule therefore
has triggers: expressions that every value it finds must contain. Hyperscan runs the triggers of
all rules at once, at hundreds of megabytes per second, and says where they end; the libraries
then see only a window around these places.
"""

import re
import sys
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from include.freezeline.redaction.digits import reach_of_digits, stretches_with_digits
from include.freezeline.redaction.rules import Gate
from include.freezeline.redaction.triggers import FIRST_GATE, Database, Hit, Trigger

Span = tuple[int, int]
_MAX_WINDOW_CHARS = 2_000
_OVERLAP_CHARS = 256
_MAX_TOKEN_CHARS = 400
# Shorter texts are not parted around their digits, nor those that are mostly such parts.
_LEAST_PARTED_CHARS = 1_500
_MOST_PARTED = 0.6
_SEAM = b"\n\0\n"
# No script has digits beyond the plane of symbols.
_LAST_DIGIT = 0x20000
# What a character outside ASCII looks like to the triggers: no letter, no digit, no space.
_OTHER = ord("?")
_ESCAPE = re.compile(r'\\(?:u[0-9a-fA-F]{4}|[nrtbf"/])')
# Scripts that put no space before or after a value in Latin letters and digits: it starts or ends
# where the script changes. Latin letters with accents are no other script.
_OTHER_SCRIPT = "[\u0370-\u1dff\u1f00-\u1fff\u2c00-\ud7ff\uf900-\U0010ffff]"
_SCRIPT_CHANGE = re.compile(rf"{_OTHER_SCRIPT}(?=[0-9A-Za-z+(])|(?<=[0-9A-Za-z]){_OTHER_SCRIPT}")
# Underscores at the start or end of a word, not those that join words. The first one stands
# outside the alternatives: an expression that begins with a character is several times as fast.
_EMPHASIS = re.compile(
    r"_(?:(?<![0-9A-Za-z_]_)_{0,2}(?=[0-9A-Za-z+(])|(?<=[0-9A-Za-z]_)_{0,2}(?![0-9A-Za-z_]))"
)
_ANY_DIGIT = "[0-9]"
_SHORT_ESCAPE = re.compile(rb'\\[nrtbf"/]')
_TOKEN = re.compile(rf"\S{{0,{_MAX_TOKEN_CHARS}}}")
_SPACE = re.compile(r"\s")


@lru_cache(maxsize=1)
def _lookalikes() -> npt.NDArray[np.uint32]:
    """Map every character to itself, and those that people paste for ASCII ones to these."""
    table = np.arange(sys.maxunicode + 1, dtype=np.uint32)
    for code in range(128, _LAST_DIGIT):
        if chr(code).isdecimal():
            table[code] = ord("0") + unicodedata.decimal(chr(code))
    table[[0xA0, 0x202F, 0x3000, *range(0x2000, 0x200B)]] = ord(" ")
    # Not the em dash: it parts sentences, and texts put no space around it.
    table[[*range(0x2010, 0x2014), 0x2212, 0xFE58, 0xFF0D]] = ord("-")
    table[[0xFF20, 0xFF0E, 0xFF1A]] = [ord(char) for char in "@.:"]
    return table


@lru_cache(maxsize=1)
def _byte_looks() -> npt.NDArray[np.uint8]:
    """Map every character to the one byte that stands for it in front of the triggers."""
    table = _lookalikes()
    return np.where(table < 128, table, _OTHER).astype(np.uint8)


def _codes(text: str) -> npt.NDArray[np.uint32]:
    """Return the code points of a text."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


def plain_view(text: str) -> str:
    r"""Return a copy of the same length in which disguises are undone.

    Non-ASCII digits, spaces and dashes become ASCII, and the escapes of JSON inside text
    (``\n4111 ...``) become spaces or the character they stand for, so that a value behind an
    escape still starts at a word boundary. Offsets in the copy are offsets in the text.
    """
    view = text
    if not text.isascii():
        plain = _lookalikes()[_codes(text)].astype("<u4").tobytes()
        view = _SCRIPT_CHANGE.sub(" ", plain.decode("utf-32-le", "surrogatepass"))
    return _ESCAPE.sub(_unescape, view) if "\\" in view else view


def _unescape(match: re.Match[str]) -> str:
    """Return what an escape stands for, padded to the escape's length."""
    escape = match.group()
    if escape[1] != "u":
        return "  "
    char = chr(int(escape[2:], 16))
    return (char if char.isprintable() else " ").ljust(len(escape))


def without_emphasis(view: str) -> str:
    """Return a copy of the same length without the underscores that emphasise: ``_4111 ..._``."""
    return _EMPHASIS.sub(_spaces, view) if "_" in view else view


def _spaces(match: re.Match[str]) -> str:
    """Return as many spaces."""
    return " " * len(match.group())


def shape_of(text: str) -> bytes:
    """Return the plain view as one byte per character, so that offsets stay those of the text."""
    shape = text.encode() if text.isascii() else _byte_looks().take(_codes(text)).tobytes()
    if b"\\" not in shape:
        return shape
    if b"\\u" in shape:
        # An escape can stand for a digit of another script, which the second look makes ASCII.
        return _byte_looks().take(_codes(plain_view(text))).tobytes()
    return _SHORT_ESCAPE.sub(b"  ", shape)


_GATES: dict[Gate, Trigger] = {
    # Seven digits with at most two separators between them.
    "digits": Trigger(1 << 20, r"[0-9](?:[ -/]{0,2}[0-9]){6}"),
    # Digits, the letter of a month, digits: the middle of a fiscal code.
    "mixed": Trigger((1 << 20) + 1, r"[0-9]{2}[ABCDEHLMPRSTabcdehlmprst][0-9L-Vl-v]"),
}


class Prefilter:
    """The triggers of all rules, compiled; safe to share between threads."""

    def __init__(self, triggers: Sequence[Trigger]) -> None:
        """Compile the triggers.

        Raises:
            ConfigError: Hyperscan cannot run an expression.
        """
        gates = sorted({trigger.gate for trigger in triggers if trigger.gate})
        self._behind = {
            _GATES[gate].owner: Database([t for t in triggers if t.gate == gate]) for gate in gates
        }
        ungated = [trigger for trigger in triggers if not trigger.gate]
        self._first = [
            Database(own) for own in _parted([*ungated, *map(_GATES.__getitem__, gates)])
        ]
        behind_digits = [t.expression for t in triggers if t.gate == "digits"]
        self._reach = reach_of_digits(behind_digits) if behind_digits else None

    def hits(self, shape: bytes) -> list[Hit]:
        """Return every place where a trigger ended in what :func:`shape_of` returned."""
        hits = [hit for database in self._first for hit in database.hits(shape)]
        if not hits:
            return hits
        found = [hit for hit in hits if hit[0] < FIRST_GATE]
        for owner, _ in hits:
            if owner == _GATES["digits"].owner:
                found += self._hits_near_digits(shape)
            elif owner >= FIRST_GATE:
                found += self._behind[owner].hits(shape)
        return found

    def _hits_near_digits(self, shape: bytes) -> list[Hit]:
        """Return the hits of the triggers behind digits, looked for only where digits are."""
        database = self._behind[_GATES["digits"].owner]
        if self._reach is None or len(shape) < _LEAST_PARTED_CHARS:
            return database.hits(shape)
        stretches = stretches_with_digits(shape, self._reach)
        if sum(high - low for low, high in stretches) > _MOST_PARTED * len(shape):
            return database.hits(shape)
        # Joined, because calling costs more than scanning; a hit across a seam is a false alarm.
        hits = database.hits(_SEAM.join([shape[low:high] for low, high in stretches]))
        seams = list(accumulate((high - low + len(_SEAM) for low, high in stretches), initial=0))
        return [(owner, _place(end, seams, stretches)) for owner, end in hits]


def _parted(triggers: Iterable[Trigger]) -> list[list[Trigger]]:
    """Part triggers that run on every text, so that Hyperscan is twice as fast.

    Those that begin with any digit would make one automaton with all others a slow one.
    """
    parts: dict[bool, list[Trigger]] = {}
    for trigger in triggers:
        parts.setdefault(trigger.expression.startswith(_ANY_DIGIT), []).append(trigger)
    return list(parts.values())


def _place(end: int, seams: Sequence[int], stretches: Sequence[Span]) -> int:
    """Return where in the text a hit in joined stretches of it ended."""
    number = bisect_right(seams, end - 1) - 1
    low, high = stretches[number]
    return min(low + end - seams[number], high)


def windows_around(text: str, ends: Iterable[int], before: int, after: int) -> list[Span]:
    """Return merged windows around places, none of which cuts a word it need not cut.

    Args:
        text: The plain view.
        ends: Where triggers ended.
        before: Characters a window reaches back at least.
        after: Characters it reaches on at least.
    """
    merged: list[Span] = []
    for end in sorted(ends):
        if merged and end + after <= merged[-1][1]:
            continue
        low, high = _word_start(text, end - before), _word_end(text, end + after)
        if merged and low <= merged[-1][1]:
            low = merged.pop()[0]
        merged.append((low, high))
    return [piece for span in merged for piece in _cut(span)]


def words_around(text: str, ends: Iterable[int], before: int, after: int) -> list[Span]:
    """Return the words that triggers ended in; around a place in an endless one, a window.

    Args:
        text: The plain view.
        ends: Where triggers ended.
        before: Characters a window in an endless word reaches back at least.
        after: Characters it reaches on at least.
    """
    words: list[Span] = []
    endless: list[int] = []
    for end in sorted(ends):
        if words and end <= words[-1][1]:
            continue
        low, high = _word_start(text, end - 1), _word_end(text, end)
        if text[high - 2 : high] != "::" and text[high - 1] == ":" and end < high:
            high -= 1  # "... from 2001:db8::7: refused"
        if high - low < _MAX_TOKEN_CHARS and low < end - 1:
            words.append((low, high))
        else:
            endless.append(end)
    return sorted([*words, *windows_around(text, endless, before, after)])


def _word_start(text: str, place: int) -> int:
    """Return where the word at a place begins, or the place when it began long ago."""
    if place <= 0:
        return 0
    least = max(0, place - _MAX_TOKEN_CHARS)
    before = text[least:place][::-1]
    space = _SPACE.search(before)
    if space:
        return place - space.start()
    return least if least == 0 else place


def _word_end(text: str, place: int) -> int:
    """Return where the word at a place ends, or as far as one may read."""
    match = _TOKEN.match(text, min(place, len(text)))
    return match.end() if match else place


def _cut(span: Span) -> Iterable[Span]:
    """Cut a long window into overlapping ones; the overlap holds any value whole."""
    start, end = span
    while end - start > _MAX_WINDOW_CHARS:
        yield start, start + _MAX_WINDOW_CHARS
        start += _MAX_WINDOW_CHARS - _OVERLAP_CHARS
    yield start, end
