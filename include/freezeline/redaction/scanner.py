"""Find values in one text: triggers, libraries, vetoes, then one span per value."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from include.freezeline.redaction.compiled_rule import CompiledRule, Views
from include.freezeline.redaction.percent import unescaped
from include.freezeline.redaction.prefilter import Prefilter, shape_of
from include.freezeline.redaction.rules import RedactionRule
from include.freezeline.redaction.triggers import Hit, Trigger, control_ends

# Percent escapes of percent escapes, as links in links have.
_MAX_ESCAPED = 3
# Between texts that are looked at together; no value reaches over it.
_SEPARATOR = "\n\x7f\n"
# In place of a rule: a control character, which could hide a value.
_CONTROL = -1


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
        self._rules = tuple(CompiledRule(rank, rule) for rank, rule in enumerate(rules))
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
        views = Views(text)
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
        views, whole = Views(text), [(0, len(text))]
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
