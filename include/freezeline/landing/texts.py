"""Redact the texts of a batch of rows: looked at together, replaced in order.

Nearly every text holds nothing, and a look over whole columns says so at the price of one scan.
What holds something is redacted row by row, so that a trace numbers its values in order.
"""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple, Protocol

from include.freezeline.contracts.columns import Column
from include.freezeline.landing.scopes import (
    FIELDS_SCANNED,
    Looked,
    Redacted,
    Scope,
    Scopes,
    Tally,
    scan,
)
from include.freezeline.redaction.controls import CONTROL
from include.freezeline.redaction.known import KnownTexts

DROPPED = "<DROPPED>"
_CONTROL_CHARS = tuple(char for char in map(chr, range(0x20)) if char not in "\t\n\r")
_MAX_CLEAN_CHARS = 50_000
_SHORT_CHARS = 150
_MAX_DIFFERENT = 100


class Look(Protocol):
    """Looks at many texts at once."""

    def __call__(self, fields: Sequence[str], *, is_json: bool) -> Looked:
        """Return which texts surely hold nothing to redact, and what the others hold."""


class TextGuard:
    """Redacts columns of texts; remembers texts that hold nothing and come again."""

    def __init__(self, look: Look | None) -> None:
        """Start with nothing known.

        Args:
            look: Looks at many texts in one pass; without it each is looked at alone.
        """
        self._look = look
        self._clean = {False: KnownTexts(), True: KnownTexts()}

    def guard(
        self,
        texts: Sequence[tuple[Column, list[Any]]],
        traces: Sequence[Any],
        scopes: Scopes,
        tally: Tally,
    ) -> None:
        """Redact the texts in place, row by row, so that a trace numbers its values in order.

        Messages come before the plain texts that are parts of them, so that the look knows these.
        """
        unsure: list[tuple[int, int, _Unsure]] = []
        for place, (column, values) in enumerate(sorted(texts, key=lambda t: t[0].type != "json")):
            found, rows = self._looked_at(values, is_json=column.type == "json")
            tally[FIELDS_SCANNED] += len(rows)
            unsure += [
                (row, place, _Unsure(column, values, found))
                for row, value in enumerate(values)
                if value is not None and row not in rows
            ]
        for row, _, field in sorted(unsure, key=itemgetter(0, 1)):
            self._redact(field, row, scopes.of(traces[row]), tally)

    def _looked_at(
        self, values: Sequence[Any], *, is_json: bool
    ) -> tuple[dict[str, tuple[Looked, Any]], set[int]]:
        """Look at a column in one pass, and at each different text once.

        Span names, instructions and resource attributes are the same few on every span.

        Args:
            values: The column.
            is_json: Whether the texts are JSON.

        Returns:
            What is known of texts that hold something, and the rows of the clean ones.
        """
        rows = [row for row, value in enumerate(values) if isinstance(value, str)]
        different = dict.fromkeys([values[row] for row in rows])
        known = self._clean[is_json]
        texts = [text for text in different if text not in known]
        try:
            looked = self._look(texts, is_json=is_json) if self._look else None
        except Exception:  # Fail closed: each text is then looked at alone.
            looked = None
        found: dict[str, tuple[Looked, Any]] = {}
        for number, text in enumerate(texts):
            if looked is None:
                del different[text]
            elif number not in looked.clean:
                del different[text]
                found[text] = looked, looked.documents.get(number)
        if len(different) <= _MAX_DIFFERENT:
            for text in different:
                if len(text) <= _MAX_CLEAN_CHARS:
                    known.note(text)
        return found, {row for row in rows if values[row] in different}

    def _redact(self, field: "_Unsure", row: int, scope: Scope, tally: Tally) -> None:
        """Redact one text in place."""
        column, values, found = field
        is_json, value = column.type == "json", values[row]
        looked, document = (
            found.get(value, (None, None)) if isinstance(value, str) else (None, None)
        )
        if document is not None:
            guarded = scan(scope.redact_document, tally, document, looked)
        elif looked is not None and not is_json and value in looked.findings:
            guarded = scan(scope.redact_text, tally, value, looked)
        else:
            guarded = self._guard_field(value, scope, tally, is_json=is_json)
        if guarded is not value:
            values[row] = guarded if guarded is not None else filled(column, None)

    def _guard_field(self, value: Any, scope: Scope, tally: Tally, *, is_json: bool) -> str | None:
        """Redact a TEXT value; one that was scanned before and held nothing passes at once.

        Span names and resource attributes repeat on every span, and whether a text holds
        anything does not depend on its trace.
        """
        known, raw = self._clean[is_json], str(value)
        if len(raw) <= _MAX_CLEAN_CHARS and raw in known:
            tally[FIELDS_SCANNED] += 1
            return raw
        if raw and not without_controls(raw):
            return None
        clean = scan_twice(scope.redact_json if is_json else scope.redact_text, tally, raw)
        if clean != raw:
            return clean
        if len(raw) <= _MAX_CLEAN_CHARS:
            known.note(raw)
        return raw


class _Unsure(NamedTuple):
    """A column with texts that may hold something.

    Attributes:
        column: Its contract.
        values: The column.
        found: What a look at it found, by text.
    """

    column: Column
    values: list[Any]
    found: Mapping[str, tuple[Looked, Any]]


def filled(column: Column, value: str | None) -> str | None:
    """Return a value, or what stands for a dropped one where null is not allowed."""
    return DROPPED if value is None and not column.nullable else value


def scan_twice(redact: Callable[[str], Redacted], tally: Tally, text: str) -> str | None:
    """Redact a text, and once more without the control characters that it holds.

    One can part two values, so that they are found as long as it is there, and can hide a value
    that it stands inside of, so that it is found afterwards.
    """
    clean = scan(redact, tally, text)
    bare = clean if clean is None else without_controls(clean)
    return bare if bare is None or bare == clean else scan(redact, tally, bare)


def without_controls(text: str) -> str:
    """Return a text without control characters."""
    if len(text) < _SHORT_CHARS:
        return CONTROL.sub("", text)
    # A search for each character is far quicker than one for the class of them.
    found = [char for char in _CONTROL_CHARS if char in text]
    return CONTROL.sub("", text) if found else text
