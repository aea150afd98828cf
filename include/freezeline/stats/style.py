"""How an answer is written, apart from what it says: one number per feature and text.

A new model version changes how answers are written more than what they say
(Sun et al. 2025, *Idiosyncrasies in Large Language Models*; Chen, Zaharia & Zou 2023).
"""

import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse, special, stats

from include.freezeline.stats.permutation import Float32Array
from include.freezeline.stats.result import FloatArray

# Scripts that put no spaces between words: Thai, Lao, Burmese, Khmer, kana, Chinese characters.
UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
# There every character counts as a word: a whole clause as one word would never come twice.
_WORD = re.compile(rf"[{UNSPACED}]|[^\W_{UNSPACED}]+(?:['\u2019][^\W_{UNSPACED}]+)*")
# The patterns here take time in proportion to the text, whatever the text: a run of spaces, line
# breaks or full stops is looked at once, and not again from each of its characters.
_SENTENCE_END = re.compile(
    r"(?<![.!?])[.!?]+(?:\s|$)|(?<![\u3002\uff01\uff1f])[\u3002\uff01\uff1f]+"
)
# From the start of a line: white space that stays in it.
_INDENT = r"^[^\S\n]*"


def word_set(words: str) -> frozenset[str]:
    """Return the words of a line."""
    return frozenset(words.split())


STOP_WORDS = word_set(
    "a about after all also an and any are as at be because been but by can do for from had has "
    "have he her his how i if in into is it its may more most my no not of on one or other our "
    "she so some such than that the their them then there these they this to up was we were what "
    "when which who will with would you your"
)
_HEDGES = word_set("may might could perhaps possibly likely generally typically often seems")
_CONNECTIVES = word_set(
    "however therefore additionally furthermore moreover overall first finally next then also"
)
_FIRST_PERSON = word_set("i i'm i'd i'll i've my me we we're our us let's")
_SECOND_PERSON = word_set("you your you're you'll yours")
_MODALS = word_set("can will should must would shall")
_NEGATIONS = word_set("not no never none without don't doesn't isn't aren't won't can't cannot")
_DEMONSTRATIVES = word_set("this these that those such")
_PREPOSITIONS = word_set("by through with from into between during within among against toward")
_ADVICE = word_set(
    "important ensure remember note consider provide various helpful keep make sure help include "
    "including essential crucial key best"
)
_INTENSIFIERS = word_set("very really quite highly extremely truly simply just even particularly")


@dataclass(frozen=True, slots=True)
class _Parsed:
    """A text with what most features need, computed once."""

    text: str
    lower: str
    words: tuple[str, ...]
    sentences: int
    sentence_words: tuple[int, ...]
    lines: tuple[str, ...]


def _rate(pattern: str) -> Callable[[_Parsed], float]:
    """Return occurrences of a lower-case pattern per 100 words."""
    compiled = re.compile(pattern, re.MULTILINE)
    return lambda p: 100.0 * len(compiled.findall(p.lower)) / (len(p.words) + 1)


def _count(part: str) -> Callable[[_Parsed], float]:
    """Return occurrences of a character or two per 100 words."""
    return lambda p: 100.0 * p.text.count(part) / (len(p.words) + 1)


def _starts(pattern: str) -> Callable[[_Parsed], float]:
    """Return 1 when the lower-case text starts with a pattern."""
    compiled = re.compile(pattern)
    return lambda p: float(compiled.match(p.lower.lstrip()) is not None)


def _belongs_to(members: frozenset[str]) -> Callable[[str], float]:
    """Return 1 for a word of a set."""
    return lambda word: float(word in members)


def _ends_with(suffix: str) -> Callable[[str], float]:
    """Return 1 for a longer word that ends with a suffix."""
    return lambda word: float(len(word) > 4 and word.endswith(suffix))


def _character_share(pattern: str) -> Callable[[_Parsed], float]:
    """Return the share of characters of a class."""
    compiled = re.compile(pattern)
    return lambda p: len(compiled.findall(p.text)) / (len(p.text) + 1)


def _compression(p: _Parsed) -> float:
    """Return compressed bytes per byte; repetitive text is low."""
    raw = p.text.encode()
    return len(zlib.compress(raw, 6)) / (len(raw) + 1)


def _mean_sentence(p: _Parsed) -> float:
    """Return words per sentence."""
    return len(p.words) / p.sentences


def _sentence_spread(p: _Parsed) -> float:
    """Return the standard deviation of words per sentence."""
    return float(np.std(p.sentence_words)) if p.sentence_words else 0.0


FEATURES: dict[str, Callable[[_Parsed], float]] = {
    "characters": lambda p: float(len(p.text)),
    "words": lambda p: float(len(p.words)),
    "sentences": lambda p: float(p.sentences),
    "lines": lambda p: float(len(p.lines)),
    "paragraphs": lambda p: float(p.text.count("\n\n")),
    "words_per_sentence": _mean_sentence,
    "sentence_spread": _sentence_spread,
    "longest_sentence": lambda p: float(max(p.sentence_words, default=0)),
    "first_sentence": lambda p: float(next(iter(p.sentence_words), 0)),
    "last_sentence": lambda p: float(p.sentence_words[-1]) if p.sentence_words else 0.0,
    "words_per_line": lambda p: len(p.words) / (len(p.lines) or 1),
    "type_token_ratio": lambda p: len(set(p.words[:100])) / (len(p.words[:100]) + 1),
    "compression": _compression,
    "contractions": _rate(r"\w['\u2019](?:t|s|re|ve|ll|d|m)\b"),
    "commas": _count(","),
    "commas_before_and": _rate(r", and\b"),
    "semicolons": _count(";"),
    "colons": _count(":"),
    "lines_end_with_colon": _rate(r":[ \t]*$"),
    "dashes": _rate(r"\u2014|\u2013| - "),
    "em_dashes": _count("\u2014"),
    "hyphenated": _rate(r"\w-\w"),
    "brackets": _rate(r"[(\[]"),
    "quotes": _rate(r"[\"\u201c\u201d]"),
    "curly_quotes": _rate(r"[\u2018\u2019\u201c\u201d]"),
    "slashes": _count("/"),
    "ellipses": _rate(r"\.\.\.|\u2026"),
    "exclamations": _count("!"),
    "questions": _count("?"),
    "bullets": _rate(_INDENT + r"[-*\u2022]\s"),
    "star_bullets": _rate(r"^[ \t]*\*\s"),
    "dot_bullets": _rate(r"^[ \t]*\u2022"),
    "numbering": _rate(_INDENT + r"\d+[.)]\s"),
    "indented_lines": _rate(r"^[ \t]+\S"),
    "headers": _rate(r"^#{1,6}\s"),
    "bold": _count("**"),
    "code": _count("`"),
    "tables": _rate(_INDENT + r"\|"),
    "links": _rate(r"https?://|\]\("),
    "double_spaces": _count("  "),
    "trailing_line_spaces": _rate(r"[ \t]$"),
    "starts_with_space": lambda p: float(p.text[:1].isspace()),
    "ends_with_space": lambda p: float(p.text[-1:].isspace()),
    "digits": _character_share(r"\d"),
    "capitals": _character_share(r"[A-Z]"),
    "capital_words": _character_share(r"\b[A-Z]{2,}\b"),
    "non_ascii": _character_share(r"[^\x00-\x7f]"),
    "opens_with_agreement": _starts(r"(?:sure|certainly|of course|absolutely|great|yes)\b"),
    "opens_with_apology": _starts(r"(?:i'?m sorry|sorry|i apologi[sz]e|unfortunately|as an ai)\b"),
    "opens_with_first_person": _starts(r"i\b"),
    "opens_with_article": _starts(r"(?:the|a|an)\b"),
    "opens_with_here": _starts(r"(?:here|there|below|following)\b"),
    "opens_with_list_or_code": _starts(r"[-*#`\d]"),
    "refuses": _rate(r"\b(?:cannot|can't|unable to|not able to|not appropriate)\b"),
    "offers_help": _rate(r"\b(?:let me know|feel free|hope this helps|happy to help)\b"),
    "ends_with_full_stop": lambda p: float(p.text.rstrip().endswith(".")),
    "ends_with_question": lambda p: float(p.text.rstrip().endswith("?")),
    "ends_with_exclamation": lambda p: float(p.text.rstrip().endswith("!")),
}
# Shares of an answer's words, by what a word is.
WORD_TRAITS: dict[str, Callable[[str], float]] = {
    "characters_per_word": lambda word: float(len(word)),
    "long_words": lambda word: float(len(word) > 7),
    "stop_words": _belongs_to(STOP_WORDS),
    "hedges": _belongs_to(_HEDGES),
    "connectives": _belongs_to(_CONNECTIVES),
    "first_person": _belongs_to(_FIRST_PERSON),
    "second_person": _belongs_to(_SECOND_PERSON),
    "modals": _belongs_to(_MODALS),
    "negations": _belongs_to(_NEGATIONS),
    "demonstratives": _belongs_to(_DEMONSTRATIVES),
    "prepositions": _belongs_to(_PREPOSITIONS),
    "advice": _belongs_to(_ADVICE),
    "intensifiers": _belongs_to(_INTENSIFIERS),
    "gerunds": _ends_with("ing"),
    "adverbs": _ends_with("ly"),
    "past_tense": _ends_with("ed"),
    "nominalisations": _ends_with("ion"),
}
FEATURE_NAMES = (*FEATURES, *WORD_TRAITS)


def words_of(text: str) -> tuple[str, ...]:
    """Return the lower-case words of a text."""
    return tuple(_WORD.findall(text.lower()))


def style_matrix(texts: Sequence[str]) -> Float32Array:
    """Return one row of raw style features per text."""
    parsed = [_parse(text) for text in texts]
    rows = [[feature(each) for feature in FEATURES.values()] for each in parsed]
    whole = np.asarray(rows, dtype=np.float64).reshape(len(texts), len(FEATURES))
    shares = _word_shares([each.words for each in parsed])
    return np.concatenate([whole, shares], axis=1).astype(np.float32)


def _word_shares(words: Sequence[Sequence[str]]) -> FloatArray:
    """Return the mean of every trait over the words of each text; each word is looked at once."""
    numbers: dict[str, int] = {}
    indices = [numbers.setdefault(word, len(numbers)) for text in words for word in text]
    lengths = np.array([len(text) for text in words], dtype=np.int64)
    traits = np.array([[trait(word) for trait in WORD_TRAITS.values()] for word in numbers])
    places = np.concatenate([[0], np.cumsum(lengths)])
    shape = (len(words), len(numbers))
    counts = sparse.csr_array((np.ones(len(indices)), indices, places), shape=shape)
    sums = counts @ traits.reshape(len(numbers), len(WORD_TRAITS))
    return np.asarray(sums / (lengths + 1.0)[:, None], dtype=np.float64)


def normal_scores(columns: Float32Array) -> Float32Array:
    """Return columns as normal scores of their ranks (van der Waerden), ties averaged.

    Constant columns become zeros.
    """
    ranks = stats.rankdata(columns, axis=0)
    scores = special.ndtri(ranks / (len(columns) + 1.0))
    constant = columns.max(axis=0) == columns.min(axis=0)
    scores[:, constant] = 0.0
    return np.asarray(scores, dtype=np.float32)


def opening(text: str) -> str:
    """Return the first two words of a text."""
    return " ".join(words_of(text[:80])[:2])


def ending(text: str) -> str:
    """Return the last two words of a text with its last character."""
    stripped = text.rstrip()
    return " ".join(words_of(stripped[-80:])[-2:]) + stripped[-1:]


EDGES: tuple[Callable[[str], str], ...] = (
    opening,
    ending,
    lambda text: text[:6],
    lambda text: text[-4:],
    lambda text: " ".join(words_of(text[:40])[:1]),
)
"""How texts begin and end, in words and in characters: spaces and signs are habits too."""


def _parse(text: str) -> _Parsed:
    """Split a text once for all features."""
    parts = [part for part in _SENTENCE_END.split(text) if part.strip()]
    return _Parsed(
        text=text,
        lower=text.lower(),
        words=words_of(text),
        sentences=max(1, len(_SENTENCE_END.findall(text))),
        sentence_words=tuple(part.count(" ") + 1 for part in map(str.strip, parts)),
        lines=tuple(line for line in text.splitlines() if line.strip()),
    )
