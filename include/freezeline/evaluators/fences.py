"""Code fences: the three backticks that a language model puts around what it was asked for."""

import re
from typing import NamedTuple

_MARK = "```"
_LANGUAGE = re.compile(r"\w*")


class Fenced(NamedTuple):
    """What a code fence says and holds.

    Attributes:
        language: The word right after the opening mark; empty without one.
        content: What it holds, without white space around it.
    """

    language: str
    content: str


def fenced(text: str) -> Fenced | None:
    """Return what a fence around the whole of a text holds; None where there is none.

    It takes time in proportion to the text, whatever the text.
    """
    bare = text.strip()
    if not (bare.startswith(_MARK) and bare.endswith(_MARK)) or len(bare) < 2 * len(_MARK):
        return None
    inside = bare[len(_MARK) : -len(_MARK)]
    word = _LANGUAGE.match(inside)
    language = word[0] if word else ""
    return Fenced(language, inside[len(language) :].strip())
