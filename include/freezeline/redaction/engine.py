"""The redactor: replaces personal data and secrets by placeholders that keep their meaning.

Person names, postal addresses and free descriptions of a person are **not** caught; they need a
language model (docs/redaction.md).
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from include.freezeline.redaction.json_text import JsonTooComplexError, rewrite_json
from include.freezeline.redaction.keys import TellingKeys
from include.freezeline.redaction.rules import RedactionConfig, load_redaction_config
from include.freezeline.redaction.scanner import Finding, Scanner

FIELDS_SCANNED = "FIELDS_SCANNED"
FIELDS_DROPPED = "FIELDS_DROPPED"
DROPPED_TEXT = "<DROPPED>"

# Replacing one value can bring another to light (it was half of a longer, wrong match).
_MAX_ROUNDS = 5
# Writings of one number that differ only in spaces and dashes are one value.
_NUMBERS = frozenset({"CARD", "IBAN", "PHONE", "US_SSN", "NATIONAL_ID"})


@dataclass(frozen=True, slots=True)
class RedactedText:
    """A text that may be written.

    Attributes:
        text: The text with placeholders; ``<DROPPED>`` when it could not be scanned.
        findings: Values replaced. Offsets are in the input; those of ``redact_json`` are in the
            string, after JSON decoding, that held the value.
        is_dropped: Whether the text could not be scanned and was thrown away.
    """

    text: str
    findings: tuple[Finding, ...] = ()
    is_dropped: bool = False


class RedactionScope:
    """One trace: equal values get equal placeholders."""

    def __init__(
        self, scanner: Scanner, keys: TellingKeys, max_field_chars: int, totals: Counter[str]
    ) -> None:
        """Start with no values seen.

        Args:
            scanner: Finds values.
            keys: Which JSON keys tell what their value is.
            max_field_chars: Longer texts are dropped.
            totals: Counts of the redactor that made the scope; updated along.
        """
        self._scanner = scanner
        self._keys = keys
        self._max_field_chars = max_field_chars
        self._totals = totals
        self._counts: Counter[str] = Counter()
        self._placeholders: dict[tuple[str, str], str] = {}
        self._numbers: Counter[str] = Counter()

    def redact_text(self, text: str) -> RedactedText:
        """Replace every value in a text; a text that cannot be scanned is dropped."""
        try:
            redacted = self._replaced(text)
        except Exception:  # Fail closed: whatever went wrong, an unscanned text never passes.
            return self._dropped(DROPPED_TEXT)
        return self._counted(redacted)

    def redact_json(self, json_text: str) -> RedactedText:
        """Replace every value in the strings, keys and long integers of a JSON document.

        Strings that hold JSON themselves are decoded and redacted inside. What is not JSON is
        redacted as text and returned as a JSON string, so that the result is always JSON.
        """
        findings: list[Finding] = []

        def leaf(text: str, before: str) -> str:
            redacted = self._replaced_after(before, text)
            findings.extend(redacted.findings)
            return redacted.text

        try:
            self._check_length(json_text)
            rewritten = rewrite_json(json_text, leaf, self._keys)
        except Exception:  # Fail closed, as above.
            return self._dropped(f'"{DROPPED_TEXT}"')
        return self._counted(RedactedText(rewritten, tuple(findings)))

    def counts(self) -> dict[str, int]:
        """Return values replaced by entity type, and fields scanned and dropped."""
        return dict(sorted(self._counts.items()))

    def _replaced(self, text: str) -> RedactedText:
        """Replace until nothing more is found, so that redacting again changes nothing."""
        self._check_length(text)
        found = self._scanner.scan(text)
        if not found:
            return RedactedText(text)
        pieces = _Pieces(text)
        for _ in range(_MAX_ROUNDS):
            pieces.replace(found, self._placeholder)
            found = self._scanner.scan(pieces.text())
            if not found:
                return RedactedText(pieces.text(), pieces.findings())
        message = "the text does not settle"
        raise JsonTooComplexError(message)

    def _replaced_after(self, before: str, text: str) -> RedactedText:
        """Replace in a text that is read with another before it, as a value after its key."""
        redacted = self._replaced(before + text)
        shift = len(before)
        if not before or any(finding.start < shift for finding in redacted.findings):
            return redacted if not before else self._replaced(text)
        found = tuple(Finding(f.type, f.start - shift, f.end - shift) for f in redacted.findings)
        return RedactedText(redacted.text[shift:], found)

    def _check_length(self, text: str) -> None:
        """Refuse a text that would take too long to scan."""
        if len(text) > self._max_field_chars:
            message = f"longer than {self._max_field_chars} characters"
            raise JsonTooComplexError(message)

    def _placeholder(self, entity: str, value: str) -> str:
        """Return the placeholder of a value, the same one each time in this scope."""
        plain = value.casefold()
        if entity in _NUMBERS:
            plain = "".join(char for char in plain if char.isalnum())
        known = self._placeholders.get((entity, plain))
        if known is None:
            self._numbers[entity] += 1
            known = f"<{entity}_{self._numbers[entity]}>"
            self._placeholders[entity, plain] = known
        return known

    def _counted(self, redacted: RedactedText) -> RedactedText:
        """Count a scanned field and what was replaced in it."""
        for counts in (self._counts, self._totals):
            counts[FIELDS_SCANNED] += 1
            if redacted.findings:
                counts.update(finding.type for finding in redacted.findings)
        return redacted

    def _dropped(self, text: str) -> RedactedText:
        """Count a field that could not be scanned."""
        for counts in (self._counts, self._totals):
            counts[FIELDS_DROPPED] += 1
        return RedactedText(text, is_dropped=True)


class Redactor:
    """Compiled rules; make one per process, and a scope per trace."""

    def __init__(self, config: RedactionConfig, scanner: Scanner | None = None) -> None:
        """Load the libraries' recognisers that the rules name."""
        self._config = config
        self._scanner = scanner or Scanner(config.rules)
        self._keys = TellingKeys(word for rule in config.rules for word in rule.context)
        self._totals: Counter[str] = Counter()

    def scope(self) -> RedactionScope:
        """Return a new scope, for one trace."""
        return RedactionScope(self._scanner, self._keys, self._config.max_field_chars, self._totals)

    def fresh(self) -> "Redactor":
        """Return a redactor with the same rules and all counts zero, for one object."""
        return Redactor(self._config, self._scanner)

    def redact_text(self, text: str) -> RedactedText:
        """Redact a text in a scope of its own."""
        return self.scope().redact_text(text)

    def redact_json(self, json_text: str) -> RedactedText:
        """Redact a JSON document in a scope of its own."""
        return self.scope().redact_json(json_text)

    def counts(self) -> dict[str, int]:
        """Return the counts of all scopes: values by type, FIELDS_SCANNED, FIELDS_DROPPED."""
        return dict(sorted(self._totals.items()))


def load_redactor(config_dir: Path) -> Redactor:
    """Return the redactor of ``redaction/default.yml``.

    Raises:
        ConfigError: The rules are wrong or name code that a library does not have.
    """
    return Redactor(load_redaction_config(config_dir))


@dataclass(slots=True)
class _Piece:
    """A stretch of the input, or the placeholder that stands for it."""

    text: str
    start: int
    end: int
    entity: str | None = None


class _Pieces:
    """A text in the course of replacement that remembers where everything was in the input."""

    def __init__(self, text: str) -> None:
        """Start with the whole input as one piece."""
        self._input = text
        self._pieces = [_Piece(text, 0, len(text))]

    def text(self) -> str:
        """Return the text as it is now."""
        return "".join(piece.text for piece in self._pieces)

    def findings(self) -> tuple[Finding, ...]:
        """Return what has been replaced, in input offsets."""
        return tuple(
            Finding(piece.entity, piece.start, piece.end)
            for piece in self._pieces
            if piece.entity is not None
        )

    def replace(self, found: Sequence[Finding], placeholder: Callable[[str, str], str]) -> None:
        """Replace findings whose offsets are in the present text."""
        pieces: list[_Piece] = []
        done = 0
        for finding in found:
            start, end = self._input_place(finding)
            start = max(start, done)
            pieces.extend(self._kept(done, start))
            name = placeholder(finding.type, self._input[start:end])
            pieces.append(_Piece(name, start, end, finding.type))
            done = end
        pieces.extend(self._kept(done, len(self._input)))
        self._pieces = pieces

    def _input_place(self, finding: Finding) -> tuple[int, int]:
        """Return the input span of a finding; placeholders it touches are taken whole."""
        place, low, high = 0, len(self._input), 0
        for piece in self._pieces:
            start, end = finding.start - place, finding.end - place
            place += len(piece.text)
            if start >= len(piece.text) or end <= 0:
                continue
            if piece.entity is not None:
                low, high = min(low, piece.start), max(high, piece.end)
            else:
                low = min(low, piece.start + max(start, 0))
                high = max(high, piece.start + min(end, len(piece.text)))
        return low, high

    def _kept(self, low: int, high: int) -> list[_Piece]:
        """Return the present pieces of an input stretch that no new finding covers."""
        kept = []
        for piece in self._pieces:
            start, end = max(piece.start, low), min(piece.end, high)
            if start >= end:
                continue
            text = piece.text if piece.entity is not None else self._input[start:end]
            kept.append(_Piece(text, start, end, piece.entity))
        return kept
