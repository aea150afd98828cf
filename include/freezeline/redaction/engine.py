"""The redactor: replaces personal data and secrets by placeholders that keep their meaning.

Person names, postal addresses and free descriptions of a person are **not** caught unless a
language model is set (docs/redaction.md).

Scanning is fast and calling it is not. For callers with many fields, such as
``landing/guard.py``, :meth:`Redactor.look` looks at all of them in one pass: what is clean may be
written as it is and counts as scanned (:meth:`RedactionScope.count_clean` where a scope keeps
count); only the rest needs :meth:`RedactionScope.redact_text` or ``redact_json``, in order,
because order numbers the placeholders. Both take what the look has found already.
"""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import orjson

from include.freezeline.redaction.controls import CONTROL
from include.freezeline.redaction.fields import Looked, Tools, look
from include.freezeline.redaction.json_text import JsonTooComplexError, rewrite_json, swap_texts
from include.freezeline.redaction.keys import TellingKeys
from include.freezeline.redaction.known import KnownTexts
from include.freezeline.redaction.named import NamedFinder, Tagger
from include.freezeline.redaction.pieces import Pieces
from include.freezeline.redaction.recent import RecentTexts, RedactedText
from include.freezeline.redaction.rules import RedactionConfig, load_redaction_config
from include.freezeline.redaction.scanner import Finding, Scanner, united

FIELDS_SCANNED = "FIELDS_SCANNED"
FIELDS_DROPPED = "FIELDS_DROPPED"
DROPPED_TEXT = "<DROPPED>"

# Replacing one value can bring another to light (it was half of a longer, wrong match).
_MAX_ROUNDS = 5
# Writings of one number that differ only in spaces and dashes are one value.
_NUMBERS = frozenset({"CARD", "IBAN", "PHONE", "US_SSN", "NATIONAL_ID"})


class RedactionScope:
    """One trace: equal values get equal placeholders."""

    def __init__(self, tools: Tools, totals: Counter[str]) -> None:
        """Start with no values seen.

        Args:
            tools: What the scopes of one redactor share.
            totals: Counts of the redactor that made the scope; updated along.
        """
        self._tools = tools
        self._number = tools.recent.next_scope()
        self._totals = totals
        self._counts: Counter[str] = Counter()
        self._placeholders: dict[tuple[str, str], str] = {}
        self._numbers: Counter[str] = Counter()

    def redact_text(self, text: str, looked: Looked | None = None) -> RedactedText:
        """Replace every value in a text; a text that cannot be scanned is dropped.

        Args:
            text: The text.
            looked: What a look at it among other texts has found.
        """
        tools = self._tools
        try:
            known = looked.findings.get(text) if looked else None
            # What nearly every text takes: no value, and as few calls as can be.
            is_plain = not tools.named and known is None and len(text) <= tools.max_field_chars
            if is_plain and not tools.scanner.hits(text):
                self._counts[FIELDS_SCANNED] += 1
                self._totals[FIELDS_SCANNED] += 1
                return RedactedText(text)
            redacted = self._replaced(text, known)
        except Exception:  # Fail closed: whatever went wrong, an unscanned text never passes.
            return self._dropped(DROPPED_TEXT)
        return self._counted(redacted)

    def redact_texts(self, texts: Sequence[str]) -> list[RedactedText]:
        """Redact several texts, as if one after the other; faster when they are short.

        Args:
            texts: Plain texts, not JSON.

        Returns:
            The result of each, in order.
        """
        looked = look(self._tools, texts, is_json=False)
        self.count_clean(len(looked.clean))
        return [
            RedactedText(text) if number in looked.clean else self.redact_text(text, looked)
            for number, text in enumerate(texts)
        ]

    def count_clean(self, n_fields: int) -> None:
        """Count fields that were found clean elsewhere."""
        self._counts[FIELDS_SCANNED] += n_fields
        self._totals[FIELDS_SCANNED] += n_fields

    def redact_json(self, json_text: str) -> RedactedText:
        """Replace every value in the strings, keys and long integers of a JSON document.

        Strings that hold JSON themselves are decoded and redacted inside. What is not JSON is
        redacted as text and returned as a JSON string, so that the result is always JSON.
        """
        findings: list[Finding] = []

        def leaf(text: str, before: str) -> str:
            redacted = self._replaced_after(before, text)
            findings.extend(redacted.findings)
            bare = CONTROL.sub("", redacted.text)
            if bare == redacted.text:
                return bare
            # A control character can part two values, and hide one that it stands inside of.
            again = self._replaced_after(before, bare)
            findings.extend(again.findings)
            return again.text if again.findings else redacted.text

        try:
            self._check_length(json_text)
            looked = look(self._tools, [json_text], is_json=True)
            if looked.clean:
                return self._counted(RedactedText(json_text))
            if looked.documents:
                return self.redact_document(looked.documents[0], looked)
            rewritten = rewrite_json(json_text, leaf, self._tools.keys)
        except Exception:  # Fail closed, as above.
            return self._dropped(f'"{DROPPED_TEXT}"')
        return self._counted(RedactedText(rewritten, tuple(findings)))

    def redact_document(self, document: Any, looked: Looked) -> RedactedText:
        """Replace every value in a document of :attr:`Looked.documents`.

        Args:
            document: The parsed document.
            looked: What the look has found in its strings.
        """
        findings: list[Finding] = []

        def swap(text: str) -> str:
            known = looked.findings.get(text)
            if known is None:
                return text
            redacted = self._replaced(text, known)
            findings.extend(redacted.findings)
            return redacted.text

        try:
            rewritten = orjson.dumps(swap_texts(document, swap)).decode()
        except Exception:  # Fail closed, as above.
            return self._dropped(f'"{DROPPED_TEXT}"')
        return self._counted(RedactedText(rewritten, tuple(findings)))

    def counts(self) -> dict[str, int]:
        """Return values replaced by entity type, and fields scanned and dropped."""
        return dict(sorted(self._counts.items()))

    def _replaced(self, text: str, known: Sequence[Finding] | None = None) -> RedactedText:
        """Replace until nothing more is found, so that redacting again changes nothing.

        A text with values comes again with every turn of a conversation, and as a part of it.
        """
        redacted = self._tools.recent.get(self._number, text)
        if redacted is None:
            redacted = self._replaced_anew(text, known)
            if redacted.findings:
                self._tools.recent.put(self._number, text, redacted)
        return redacted

    def _replaced_anew(self, text: str, known: Sequence[Finding] | None) -> RedactedText:
        """Replace until nothing more is found."""
        self._check_length(text)
        tools = self._tools
        found = tools.scanner.scan(text) if known is None else known
        if tools.named:  # Once only: placeholders look like names to a model.
            found = united(found, tools.named.find(text))
        if not found:
            return RedactedText(text)
        pieces = Pieces(text)
        for _ in range(_MAX_ROUNDS):
            pieces.replace(found, self._placeholder)
            found = tools.scanner.scan(pieces.text())
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
        if len(text) > self._tools.max_field_chars:
            message = f"longer than {self._tools.max_field_chars} characters"
            raise JsonTooComplexError(message)

    def _placeholder(self, entity: str, value: str) -> str:
        """Return the placeholder of a value, the same one each time in this scope."""
        plain = (unquote(value) if "%" in value else value).casefold()
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

    def __init__(
        self,
        config: RedactionConfig,
        scanner: Scanner | None = None,
        tagger: Tagger | None = None,
    ) -> None:
        """Load the libraries' recognisers that the rules name.

        Args:
            config: The rules.
            scanner: Their compiled form, when there is one already.
            tagger: Language model that finds names and addresses; none by default.
        """
        self._config = config
        self._scanner = scanner or Scanner(config.rules)
        keys = TellingKeys(word for rule in config.rules for word in rule.context)
        self._tools = Tools(
            self._scanner,
            keys,
            NamedFinder(tagger, config.named_labels) if tagger else None,
            config.max_field_chars,
            KnownTexts(),
            RecentTexts(),
        )
        self._totals: Counter[str] = Counter()

    def scope(self) -> RedactionScope:
        """Return a new scope, for one trace."""
        return RedactionScope(self._tools, self._totals)

    def fresh(self) -> "Redactor":
        """Return a redactor with the same rules and all counts zero, for one object."""
        copy = object.__new__(Redactor)
        copy._config, copy._scanner, copy._tools = self._config, self._scanner, self._tools
        copy._totals = Counter()
        return copy

    def look(self, fields: Sequence[str], *, is_json: bool) -> Looked:
        """Look at fields in one pass: which surely hold nothing, and what the others hold.

        Fields that are neither may hold something, or are too long, or no JSON; give each to a
        scope.

        Args:
            fields: Texts of any traces together.
            is_json: Whether they are JSON documents.
        """
        return look(self._tools, fields, is_json=is_json)

    def redact_text(self, text: str) -> RedactedText:
        """Redact a text in a scope of its own."""
        return self.scope().redact_text(text)

    def redact_json(self, json_text: str) -> RedactedText:
        """Redact a JSON document in a scope of its own."""
        return self.scope().redact_json(json_text)

    def counts(self) -> dict[str, int]:
        """Return the counts of all scopes: values by type, FIELDS_SCANNED, FIELDS_DROPPED."""
        return dict(sorted(self._totals.items()))


def load_redactor(config_dir: Path, tagger: Tagger | None = None) -> Redactor:
    """Return the redactor of ``redaction/default.yml``.

    Args:
        config_dir: Folder of the policies.
        tagger: Language model for names and addresses, such as ``adapters.language_models`` loads.

    Raises:
        ConfigError: The rules are wrong or name code that a library does not have.
    """
    config = load_redaction_config(config_dir)
    return Redactor(config, _compiled(config.model_dump_json()), tagger=tagger)


@lru_cache(maxsize=2)
def _compiled(config_json: str) -> Scanner:
    """Compile rules once per process: it takes most of a second, and a scanner holds no state."""
    return Scanner(RedactionConfig.model_validate_json(config_json).rules)
