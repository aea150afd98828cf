"""Find values in one text: prefilter, libraries, vetoes, then one span per value."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from include.freezeline.redaction.libraries import Finder, build_finder
from include.freezeline.redaction.prefilter import Shapes, Span, plain_view
from include.freezeline.redaction.rules import Prefilter, RedactionRule

_CONTEXT_CHARS = 48
_NEIGHBOUR_CHARS = 24
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
        """Load the rules' recognisers."""
        self._groups: dict[Prefilter, list[_Compiled]] = {}
        for rank, rule in enumerate(rules):
            self._groups.setdefault(rule.prefilter, []).append(_Compiled(rank, rule))
        self._entities = tuple(rule.entity for rule in rules)

    def scan(self, text: str) -> list[Finding]:
        """Return the values in a text, in order, none overlapping."""
        shapes = Shapes(plain_view(text))
        ranked: list[tuple[int, int, int]] = []
        for prefilter, group in self._groups.items():
            windows = shapes.windows(prefilter)
            if windows:
                seen = "\n".join(shapes.text[low:high] for low, high in windows)
                for rule in group:
                    if rule.may_be_in(seen):
                        ranked.extend(rule.find(shapes.text, windows))
        return self._united(ranked) if ranked else []

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


class _Compiled:
    """One rule with its finder and vetoes."""

    def __init__(self, rank: int, rule: RedactionRule) -> None:
        """Compile the rule's expressions."""
        self._rank = rank
        self._hints = rule.hints
        self._finder: Finder = build_finder(rule)
        self._context = _words(rule.context)
        self._reject = _compiled(rule.reject)
        self._not_before = _compiled(rf"(?:{rule.not_before})\Z" if rule.not_before else None)
        self._not_after = _compiled(rule.not_after)
        self._extend = _compiled(rule.extend)
        self._may_sit_in_id = rule.may_sit_in_id

    def may_be_in(self, text: str) -> bool:
        """Whether the text has one of the rule's hints and context words, when it has any."""
        if self._context and not self._context.search(text):
            return False
        for hint in self._hints:  # any() over a generator would cost more than the search.
            if hint in text:
                return True
        return not self._hints

    def find(self, text: str, windows: Sequence[Span]) -> Iterable[tuple[int, int, int]]:
        """Yield start, end and rank of every value of the rule in the windows."""
        done = 0
        for low, high in windows:
            for start, end in self._finder(text[low:high]):
                span = (low + start, low + end)
                # A value inside what the one before it took along needs no look of its own.
                if span[1] > done and self._holds(text, *span):
                    span = self._extended(text, *span)
                    done = span[1] if self._extend else 0
                    yield (*span, self._rank)

    def _holds(self, text: str, start: int, end: int) -> bool:
        """Whether nothing around or in the value speaks against it."""
        if self._reject and self._reject.fullmatch(text, start, end):
            return False
        before = text[max(0, start - _CONTEXT_CHARS) : start]
        if self._context and not self._context.search(before):
            return False
        if self._not_before and self._not_before.search(before[-_NEIGHBOUR_CHARS:]):
            return False
        if self._not_after and self._not_after.match(text, end):
            return False
        return self._may_sit_in_id or not _inside_id(text, start, end)

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
