"""What an answer looks like from afar: structure that a sentence never has, one number a feature.

Style (``stats.style``) says how prose is written; these features say whether it is prose at all:
JSON, markup, encoded blobs, other scripts and languages, role markers, the voice of a system
prompt. They need no model and no knowledge of the language model that answered.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from include.freezeline.evaluators.fences import fenced
from include.freezeline.evaluators.languages import FOREIGN_WORDS
from include.freezeline.stats.result import FloatArray
from include.freezeline.stats.style import (
    FEATURE_NAMES,
    WORD_TRAITS,
    style_matrix,
    word_set,
    words_of,
)

_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,200}>|&[a-z]{2,6};")
ENCODED = re.compile(r"[A-Za-z0-9+/_=-]{32,}")
ROLE = re.compile(
    r"<\|[a-z_]{2,20}\|>|\[/?(?:INST|SYS)\]|<</?SYS>>|^#{2,3} ?(?:instruction|system|response)\b"
    r"|^(?:system|assistant|user|human|developer) ?:",
    re.IGNORECASE | re.MULTILINE,
)
INSTRUCTION = re.compile(
    r"\byou are (?:a|an|the)\b|\byou (?:must|should) (?:always|never|not)\b"
    r"|\b(?:do not|don't|never) (?:reveal|disclose|mention|share|discuss|answer|tell)\b"
    r"|\b(?:system|hidden|initial) (?:prompt|message|instructions?)\b"
    r"|\b(?:previous|above|these|my|your) instructions?\b|\brespond only\b|\byour (?:role|task) is\b",
    re.IGNORECASE,
)
_INVISIBLE = re.compile(r"[\u0000-\u0008\u000b\u000c\u000e-\u001f\u200b-\u200f\u2060\ufeff\ufffd]")


def _share_of(pattern: re.Pattern[str]) -> Callable[[str], float]:
    """Return the share of characters inside matches."""
    return lambda text: sum(len(found[0]) for found in pattern.finditer(text)) / (len(text) + 1)


def _rate_of(pattern: re.Pattern[str]) -> Callable[[str], float]:
    """Return matches per 100 words."""
    return lambda text: 100.0 * len(pattern.findall(text)) / (len(text.split()) + 1)


def is_json(text: str) -> float:
    """Return 1 for a text that is one JSON object or array, fenced or not."""
    fence = fenced(text)
    bare = fence.content if fence else text.strip()
    if not bare.startswith(("{", "[")):
        return 0.0
    try:
        json.loads(bare)
    except (ValueError, RecursionError):
        return 0.0
    return 1.0


def _entropy(text: str) -> float:
    """Return the entropy of a text's characters, in bits; prose has about four."""
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())


def _non_latin(text: str) -> float:
    """Return the share of letters outside Latin script, which ends at U+024F."""
    letters = [character for character in text if character.isalpha()]
    return sum(letter > "\u024f" for letter in letters) / (len(letters) + 1)


def _accented(text: str) -> float:
    """Return the share of Latin letters outside ASCII."""
    return sum("\xc0" <= character <= "\u024f" for character in text) / (len(text) + 1)


def _foreign(text: str) -> float:
    """Return the share of words that are function words of other languages."""
    words = words_of(text)
    return sum(word in FOREIGN_WORDS for word in words) / (len(words) + 1)


def _repeated_lines(text: str) -> float:
    """Return the share of lines that stood there before."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return 1.0 - len(set(lines)) / len(lines) if lines else 0.0


SHAPES: dict[str, Callable[[str], float]] = {
    "is_json": is_json,
    "braces": _share_of(re.compile(r'[{}\[\]"]')),
    "markup": _share_of(_TAG),
    "encoded": _share_of(ENCODED),
    "longest_token_log": lambda text: math.log1p(max(map(len, text.split()), default=0)),
    "character_entropy": _entropy,
    "non_latin": _non_latin,
    "accented": _accented,
    "foreign_words": _foreign,
    "role_markers": _rate_of(ROLE),
    "instruction_voice": _rate_of(INSTRUCTION),
    "invisible": _share_of(_INVISIBLE),
    "repeated_lines": _repeated_lines,
    "shouting": lambda text: (
        sum(word.isupper() and len(word) > 2 for word in text.split()) / (len(text.split()) + 1)
    ),
}
STRUCTURE_NAMES = (*FEATURE_NAMES, *SHAPES)
# Counts are compared by ratio: twice as long is as far as half as long.
_LENGTHS = word_set(
    "characters words sentences lines paragraphs longest_sentence first_sentence last_sentence"
)
_YES_NO = ("starts_", "opens_", "ends_", "is_")
_OTHER_STEPS = {
    "words_per_sentence": 2.0, "sentence_spread": 2.0, "words_per_line": 2.0,
    "characters_per_word": 0.25, "longest_token_log": 0.2, "character_entropy": 0.15,
    "type_token_ratio": 0.05, "compression": 0.05,
    # A little of these is much: prose has none.
    "role_markers": 0.3, "instruction_voice": 0.3, "markup": 0.005, "encoded": 0.005,
    "non_latin": 0.005, "invisible": 0.002, "foreign_words": 0.01, "braces": 0.01,
}  # fmt: skip
_SHARES = frozenset({"digits", "capitals", "capital_words", "non_ascii", *WORD_TRAITS, *SHAPES})
_LENGTH_STEP, _YES_NO_STEP, _SHARE_STEP, _RATE_STEP = 0.15, 0.25, 0.02, 1.0


def _step(name: str) -> float:
    """Return the least difference of a feature that anybody would notice."""
    if name in _OTHER_STEPS:
        return _OTHER_STEPS[name]
    if name in _LENGTHS:
        return _LENGTH_STEP
    if name in _SHARES and name != "is_json":
        return _SHARE_STEP
    return _YES_NO_STEP if name.startswith(_YES_NO) else _RATE_STEP


LEAST_STEPS: FloatArray = np.array([_step(name) for name in STRUCTURE_NAMES])


def structure_matrix(texts: Sequence[str]) -> FloatArray:
    """Return one row of style and shape features per text, counts on a log scale."""
    style = style_matrix(texts).astype(np.float64)
    shapes = [[measure(text) for measure in SHAPES.values()] for text in texts]
    rows = np.hstack([style, np.asarray(shapes, dtype=np.float64).reshape(len(texts), len(SHAPES))])
    logged = [name in _LENGTHS for name in STRUCTURE_NAMES]
    rows[:, logged] = np.log1p(rows[:, logged])
    return rows
