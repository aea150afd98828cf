"""Which script a text is written in, as far as evaluators that read words have to know it."""

import unicodedata
from collections import Counter

_MOST = 0.5
_LATIN = ("LATIN", "FULLWIDTH LATIN", "MODIFIER LETTER SMALL")
# Scripts that put no spaces between words, by the beginnings of their letters' names.
_UNSPACED = (
    "CJK", "IDEOGRAPHIC", "HIRAGANA", "KATAKANA", "HALFWIDTH KATAKANA", "THAI", "LAO", "KHMER",
    "MYANMAR",
)  # fmt: skip


def is_mostly_latin(text: str) -> bool:
    """Whether at least half of the letters are Latin ones; a text without letters counts."""
    share = _share_of_letters(text, _LATIN)
    return share is None or share >= _MOST


def is_unspaced(text: str) -> bool:
    """Whether most letters are of a script that is written without spaces between words."""
    share = _share_of_letters(text, _UNSPACED)
    return share is not None and share > _MOST


def _share_of_letters(text: str, beginnings: tuple[str, ...]) -> float | None:
    """Return the share of letters whose names begin so; None without letters."""
    counts = {letter: n for letter, n in Counter(text).items() if letter.isalpha()}
    if not counts:
        return None
    found = (
        n for letter, n in counts.items() if unicodedata.name(letter, "").startswith(beginnings)
    )
    return sum(found) / sum(counts.values())
