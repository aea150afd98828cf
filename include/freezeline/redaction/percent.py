"""Texts with percent escapes, as in URLs (RFC 3986): ``jane%40example.org`` is an address too.

The rules read what the escapes stand for, and the values found there are placed back where they
are written.
"""

import re
from dataclasses import dataclass
from itertools import accumulate

_ESCAPES = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_ESCAPE_CHARS = 3


@dataclass(frozen=True, slots=True)
class Unescaped:
    """A text without its percent escapes.

    Attributes:
        text: What the escapes stand for in their place.
        places: Where each of its characters begins in the input; one more for the end.
    """

    text: str
    places: tuple[int, ...]


def unescaped(text: str) -> Unescaped | None:
    """Return what percent escapes stand for; None for a text without any.

    Bytes that are no UTF-8 are read as Latin-1, so that none of them hides its neighbours.
    """
    if "%" not in text or not _ESCAPES.search(text):
        return None
    chars: list[str] = []
    widths: list[int] = []
    done = 0
    for match in _ESCAPES.finditer(text):
        chars.append(text[done : match.start()])
        widths.extend([1] * (match.start() - done))
        meant, n_bytes = _decoded(bytes.fromhex(match.group().replace("%", "")))
        chars.append(meant)
        widths.extend(_ESCAPE_CHARS * n for n in n_bytes)
        done = match.end()
    chars.append(text[done:])
    widths.extend([1] * (len(text) - done))
    return Unescaped("".join(chars), tuple(accumulate(widths, initial=0)))


def _decoded(raw: bytes) -> tuple[str, list[int]]:
    """Return characters and how many bytes each took."""
    try:
        meant = raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1"), [1] * len(raw)
    return meant, [len(char.encode()) for char in meant]
