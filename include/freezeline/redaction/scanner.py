"""Find values in one text: triggers, libraries, vetoes, then one span per value."""

import math
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from itertools import accumulate

from include.freezeline.redaction.libraries import Finder, build_finder
from include.freezeline.redaction.percent import unescaped
from include.freezeline.redaction.prefilter import (
    Prefilter,
    Span,
    plain_view,
    shape_of,
    windows_around,
    without_emphasis,
    words_around,
)
from include.freezeline.redaction.rules import RedactionRule
from include.freezeline.redaction.triggers import Hit, Trigger, control_ends

_CONTEXT_CHARS = 48
_NEIGHBOUR_CHARS = 24
_CACHED_WINDOWS = 512
# Percent escapes of percent escapes, as links in links have.
_MAX_ESCAPED = 3
# Between texts that are looked at together; no value reaches over it.
_SEPARATOR = "\n\x7f\n"
# In place of a rule: a control character, which could hide a value.
_CONTROL = -1
# Join keys: a UUID, or a run of hex digits or letters and digits that is neither a number nor a
# word. A card or phone number found inside one is chance.
_ID = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"
    r"|(?=[0-9]*[A-Za-z])(?=[A-Za-z]*[0-9])[0-9A-Za-z]{16,})(?![0-9A-Za-z])"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One value found.

    Attributes:
        type: Entity type, such as EMAIL.
        start: Offset of its first character in the input.
        end: Offset after its last character.
    """

    type: str
    start: int
    end: int


class Scanner:
    """All rules, ready to run; holds no state between texts."""

    def __init__(self, rules: Sequence[RedactionRule]) -> None:
        """Load the rules' recognisers and compile their triggers."""
        self._rules = tuple(_Compiled(rank, rule) for rank, rule in enumerate(rules))
        self._prefilter = Prefilter(
            [
                Trigger(rank, expression, rule.gate)
                for rank, rule in enumerate(rules)
                for expression in rule.expressions()
            ]
        )
        self._entities = tuple(rule.entity for rule in rules)

    def hits(self, text: str) -> list[Hit]:
        """Return where a value may be, and by which rule; nothing for nearly every text.

        Of values behind percent escapes it only says that there may be one.
        """
        hits = self._prefilter.hits(shape_of(text))
        if not hits and "%" in text:
            return self._escaped_hits(text)
        return hits

    def _escaped_hits(self, text: str) -> list[Hit]:
        """Return the hits in what percent escapes stand for, and where those are escapes again."""
        hits: list[Hit] = []
        for _ in range(_MAX_ESCAPED):
            plain = unescaped(text)
            if plain is None or hits:
                break
            text = plain.text
            hits = self._prefilter.hits(shape_of(text))
        return hits

    def suspects(self, texts: Sequence[str]) -> set[int]:
        """Return the numbers of the texts that may hold a value, in one pass over all."""
        return set(self._hits_by_text(texts))

    def found_in(self, texts: Sequence[str]) -> dict[int, list[Finding] | None]:
        """Return the values in each text that holds any, by its number, in one pass over all.

        A text with control characters or percent escapes, which could hide a value, has None.
        """
        found: dict[int, list[Finding] | None] = {}
        for number, hits in self._hits_by_text(texts).items():
            if hits[0][0] == _CONTROL:
                found[number] = None
            elif findings := self._found(texts[number], hits):
                found[number] = findings
        for number, text in enumerate(texts):
            if "%" in text and self._escaped_hits(text):
                found[number] = None
        return found

    def _hits_by_text(self, texts: Sequence[str]) -> dict[int, list[Hit]]:
        """Return where in each text a value may be; a hit across two texts is a false alarm."""
        joined = _SEPARATOR.join(texts)
        if joined.isascii():
            shape = shape_of(joined)
        else:  # One letter outside ASCII makes a text slow, so it shall not slow the others.
            shape = _SEPARATOR.encode().join(map(shape_of, texts))
        hits = [(_CONTROL, end) for end in control_ends(shape)]
        hits += self._prefilter.hits(shape)
        by_text: dict[int, list[Hit]] = {}
        if hits:
            starts = list(accumulate(map(len, texts), initial=0))
            seams = [start + len(_SEPARATOR) * number for number, start in enumerate(starts)]
            for rank, end in hits:
                number = bisect_right(seams, end - 1) - 1
                place = min(end - seams[number], len(texts[number]))
                by_text.setdefault(number, []).append((rank, place))
        return by_text

    def scan(self, text: str) -> list[Finding]:
        """Return the values in a text, in order, none overlapping."""
        return self._scan(text, 0)

    def _scan(self, text: str, depth: int) -> list[Finding]:
        """Return the values in a text, with those in what its percent escapes stand for."""
        hits = self._prefilter.hits(shape_of(text))
        found = self._found(text, hits) if hits else []
        plain = unescaped(text) if depth < _MAX_ESCAPED else None
        if plain is None:
            return found
        places = plain.places
        behind = [
            Finding(each.type, places[each.start], places[each.end])
            for each in self._scan(plain.text, depth + 1)
        ]
        return united(behind, found)

    def _found(self, text: str, hits: Iterable[tuple[int, int]]) -> list[Finding]:
        """Ask the rules whose triggers were hit, each around its hits."""
        views = _Views(text)
        ends: dict[int, list[int]] = {}
        for rank, end in hits:
            ends.setdefault(rank, []).append(end)
        ranked: list[tuple[int, int, int]] = []
        for rank, places in ends.items():
            rule = self._rules[rank]
            ranked.extend(rule.find(views.of(rule), places))
        return self._united(ranked) if ranked else []

    def scan_everywhere(self, text: str) -> list[Finding]:
        """Return what the rules find when asked about the whole text: slow, to test triggers."""
        views, whole = _Views(text), [(0, len(text))]
        every = [found for rule in self._rules for found in rule.find_in(views.of(rule), whole)]
        return self._united(every)

    def _united(self, ranked: list[tuple[int, int, int]]) -> list[Finding]:
        """Join overlapping spans, so that no part of any of them stays."""
        united: list[tuple[int, int, int]] = []
        for start, end, rank in sorted(ranked):
            if united and start < united[-1][1]:
                last_start, last_end, last_rank = united[-1]
                united[-1] = (last_start, max(end, last_end), min(rank, last_rank))
            else:
                united.append((start, end, rank))
        return [Finding(self._entities[rank], start, end) for start, end, rank in united]


class _Views:
    """The plain view of a text, as it is and without the underscores that emphasise."""

    def __init__(self, text: str) -> None:
        """Take a text."""
        self._plain = plain_view(text)
        self._bare: str | None = None

    def of(self, rule: "_Compiled") -> str:
        """Return what a rule reads."""
        if not rule.may_be_emphasised:
            return self._plain
        if self._bare is None:
            self._bare = without_emphasis(self._plain)
        return self._bare


class _Compiled:
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


def united(first: Sequence[Finding], second: Iterable[Finding]) -> list[Finding]:
    """Join the findings of two searches; where they overlap, the first names the whole."""
    ranked = sorted(
        [(f.start, f.end, 0, f.type) for f in first] + [(f.start, f.end, 1, f.type) for f in second]
    )
    joined: list[tuple[int, int, int, str]] = []
    for start, end, rank, entity in ranked:
        if joined and start < joined[-1][1]:
            low, high, best, name = joined[-1]
            joined[-1] = (low, max(end, high), *min((best, name), (rank, entity)))
        else:
            joined.append((start, end, rank, entity))
    return [Finding(entity, start, end) for start, end, _, entity in joined]


def entropy(text: str) -> float:
    """Return the Shannon entropy of a text in bits per character."""
    counts = Counter(text).values()
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts)
