"""One rule, ready to run: its recogniser around its triggers, and what speaks against a value."""

import math
import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256

from include.freezeline.redaction.libraries import Finder, build_finder
from include.freezeline.redaction.prefilter import (
    Span,
    plain_view,
    windows_around,
    without_emphasis,
    words_around,
)
from include.freezeline.redaction.rules import RedactionRule

_CONTEXT_CHARS = 48
_NEIGHBOUR_CHARS = 24
_CACHED_WINDOWS = 512
# Join keys: a UUID, or a run of hex digits or letters and digits that is neither a number nor a
# word. A card or phone number found inside one is chance.
_ID = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"
    r"|(?=[0-9]*[A-Za-z])(?=[A-Za-z]*[0-9])[0-9A-Za-z]{16,})(?![0-9A-Za-z])"
)


class Views:
    """The plain view of a text, as it is and without the underscores that emphasise."""

    def __init__(self, text: str) -> None:
        """Take a text."""
        self._plain = plain_view(text)
        self._bare: str | None = None

    def of(self, rule: "CompiledRule") -> str:
        """Return what a rule reads."""
        if not rule.may_be_emphasised:
            return self._plain
        if self._bare is None:
            self._bare = without_emphasis(self._plain)
        return self._bare


class CompiledRule:
    """One rule with its finder and vetoes."""

    def __init__(self, rank: int, rule: RedactionRule) -> None:
        """Compile the rule's expressions."""
        self._rank = rank
        self._reach = (rule.before_chars, rule.after_chars)
        self._windows = words_around if rule.is_one_word else windows_around
        finder: Finder = build_finder(rule)
        # Documents and histories come again and again, and what stands in them with them.
        self._found_in = lru_cache(_CACHED_WINDOWS)(lambda window: tuple(finder(window)))
        self._context = _words(rule.context)
        self._reject = _compiled(rule.reject)
        self._published = frozenset(rule.published_sha256)
        self._not_before = _compiled(rf"(?:{rule.not_before})\Z" if rule.not_before else None)
        self._not_after = _compiled(rule.not_after)
        self._only = _compiled(rule.only)
        self._extend = _compiled(rule.extend)
        self._min_entropy = rule.min_entropy
        self._may_sit_in_id = rule.may_sit_in_id
        self.may_be_emphasised = rule.may_be_emphasised

    def find(self, text: str, ends: Iterable[int]) -> Iterable[tuple[int, int, int]]:
        """Yield start, end and rank of every value of the rule around its triggers."""
        return self.find_in(text, self._windows(text, ends, *self._reach))

    def find_in(self, text: str, windows: Iterable[Span]) -> Iterable[tuple[int, int, int]]:
        """Yield start, end and rank of every value of the rule in the windows."""
        done = 0
        for low, high in windows:
            for start, end in self._found_in(text[low:high]):
                span = self._shortened(text, low + start, low + end)
                # A value inside what the one before it took along needs no look of its own.
                if span[1] > done and self._holds(text, *span):
                    span = self._extended(text, *span)
                    done = span[1] if self._extend else 0
                    yield (*span, self._rank)

    def _holds(self, text: str, start: int, end: int) -> bool:
        """Whether nothing around or in the value speaks against it."""
        if self._reject and self._reject.fullmatch(text, start, end):
            return False
        if self._min_entropy and entropy(text[start:end]) < self._min_entropy:
            return False
        before = text[max(0, start - _CONTEXT_CHARS) : start]
        if self._context and not self._context.search(before):
            return False
        if self._not_before and self._not_before.search(before[-_NEIGHBOUR_CHARS:]):
            return False
        if self._not_after and self._not_after.match(text, end):
            return False
        if not self._may_sit_in_id and _inside_id(text, start, end):
            return False
        return not (self._published and self._is_published(text[start:end]))

    def _is_published(self, value: str) -> bool:
        """Whether the value is a published sample of the rule."""
        return sha256(value.encode("utf-8", "surrogatepass")).hexdigest() in self._published

    def _shortened(self, text: str, start: int, end: int) -> Span:
        """Leave what the library took along and is no part of the value."""
        match = self._only.match(text, start, end) if self._only else None
        return (start, match.end()) if match else (start, end)

    def _extended(self, text: str, start: int, end: int) -> Span:
        """Take along what follows the value and belongs to it."""
        match = self._extend.match(text, end) if self._extend else None
        return (start, match.end()) if match else (start, end)


def _inside_id(text: str, start: int, end: int) -> bool:
    """Whether the span lies in a UUID, hex id or the like."""
    low = max(0, start - _CONTEXT_CHARS)
    return any(
        low + match.start() <= start and end <= low + match.end()
        for match in _ID.finditer(text[low : end + _CONTEXT_CHARS])
    )


def _words(words: tuple[str, ...]) -> re.Pattern[str] | None:
    """Return an expression that finds any of the words, whole and in any case."""
    if not words:
        return None
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})\b", re.IGNORECASE)


def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    """Compile an expression when there is one."""
    return re.compile(pattern) if pattern else None


def entropy(text: str) -> float:
    """Return the Shannon entropy of a text in bits per character."""
    counts = Counter(text).values()
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts)
