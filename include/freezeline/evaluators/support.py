"""What a sentence claims and how much of it another text says: words, word pairs, facts."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from include.freezeline.stats.style import STOP_WORDS, words_of

_SENTENCE = re.compile(r"(?<=[.!?])[\"'\u201d)\]]*\s+|\n+")
_NUMBER = re.compile(r"\d(?:[\d,.]*\d)?")
_NAME = re.compile(r"\b[A-Z][\w'\u2019-]*\w")
_ENDINGS = ("ing", "edly", "ed", "ies", "es", "s", "ly")
_LEAST_STEM = 3
Places = NDArray[np.int64]
_NOWHERE: Places = np.array([], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Claims:
    """What a text says, reduced to what can be looked up in another one.

    Attributes:
        words: Stems of its content words, in order.
        facts: Its numbers, and its names in lower case.
    """

    words: tuple[str, ...]
    facts: frozenset[str]


def sentences_of(text: str) -> list[str]:
    """Return the sentences and lines of a text that hold a word."""
    return [part.strip() for part in _SENTENCE.split(text) if words_of(part)]


def claims_of(text: str) -> Claims:
    """Return the claims of a sentence; its first word is no name for its capital."""
    words = tuple(stem(word) for word in words_of(text) if word not in STOP_WORDS)
    first = re.search(r"\w", text)
    start = first.start() + 1 if first else 0
    names = {
        found[0].lower()
        for found in _NAME.finditer(text, start)
        if found[0].lower() not in STOP_WORDS
    }
    return Claims(words, numbers_of(text) | frozenset(names))


def numbers_of(text: str) -> frozenset[str]:
    """Return the numbers of a text, without thousands separators."""
    return frozenset(found.replace(",", "") for found in _NUMBER.findall(text))


def stem(word: str) -> str:
    """Return a word without the commonest English endings."""
    bare = word.removesuffix("'s").removesuffix("\u2019s")
    for ending in _ENDINGS:
        if bare.endswith(ending) and len(bare) - len(ending) >= _LEAST_STEM:
            return bare[: -len(ending)]
    return bare


class Sources:
    """Texts that may support a claim, read once."""

    def __init__(self, texts: Sequence[str]) -> None:
        """Read them."""
        claims = [claims_of(sentence) for text in texts for sentence in sentences_of(text)]
        self._n_sentences = len(claims)
        self._places = _places_of(claims)
        self._pairs = {pair for each in claims for pair in pairwise(each.words)}
        joined = " ".join(texts)
        self._numbers = numbers_of(joined)
        self._names = _names_in(joined)

    def best_word_share(self, claims: Claims) -> float:
        """Return the largest share of the words that one sentence of the sources has."""
        if not claims.words or not self._n_sentences:
            return 0.0
        hits = np.zeros(self._n_sentences, dtype=np.int64)
        for word, n_times in Counter(claims.words).items():
            # A word is in a sentence once, so that no sentence stands in its places twice.
            hits[self._places.get(word, _NOWHERE)] += n_times
        return int(hits.max()) / len(claims.words)

    def pair_share(self, claims: Claims) -> float:
        """Return the share of neighbouring words that are neighbours in the sources too."""
        pairs = list(pairwise(claims.words))
        if not pairs:
            return self.best_word_share(claims)
        return sum(pair in self._pairs for pair in pairs) / len(pairs)

    def unsupported_facts(self, claims: Claims) -> frozenset[str]:
        """Return numbers and names that the sources do not have."""
        return frozenset(fact for fact in claims.facts if not self._has(fact))

    def _has(self, fact: str) -> bool:
        """Whether the sources have a number as a number, or all words of a name."""
        # The words "12" and "50" on two pages are no 12.50.
        if fact[0].isdecimal():
            return fact in self._numbers
        return fact in self._names or _names_in(fact) <= self._names


def _names_in(text: str) -> frozenset[str]:
    """Return the words of a text without apostrophes of possession."""
    return frozenset(word.removesuffix("'s") for word in words_of(text.replace("\u2019", "'")))


def _places_of(claims: Sequence[Claims]) -> dict[str, Places]:
    """Return the numbers of the sentences that each word is in."""
    found: dict[str, list[int]] = defaultdict(list)
    for number, each in enumerate(claims):
        for word in frozenset(each.words):
            found[word].append(number)
    return {word: np.array(numbers, dtype=np.int64) for word, numbers in found.items()}
