"""What may be written of a row: each column is treated as its contract says.

TEXT columns go through the redactor, PSEUDONYM columns become keyed pseudonyms. NONE columns are
of three kinds. Closed vocabularies that our readers produce pass. Ids pass unchanged as long as
they have the shape of an id, because facts join on them. Every other string was chosen by the
source (a tool's name, a route, an error class) and may carry anything, so it is scanned too.
Scanning fails closed: a value that cannot be scanned is dropped and counted.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from include.freezeline.contracts.columns import Column, Privacy, Table

FIELDS_SCANNED = "FIELDS_SCANNED"
FIELDS_DROPPED = "FIELDS_DROPPED"
DROPPED = "<DROPPED>"
_CLOSED = frozenset(
    {
        "dialect", "span_type", "status", "error_class", "ttft_source", "tpot_source", "carrier",
        "source_object", "source_sha256", "finish_reasons", "format", "signal",
    }
)  # fmt: skip
_ID_SHAPED = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/+=\-]{0,255}\Z")
# Keys with a NUL break readers of the tables, and one inside a value hides it from the scan.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_EXACT = frozenset({"source_object"})  # names the object in the bucket, whatever it is called
_MAX_LABELS = 20_000
_MAX_CLEAN = 20_000
_MAX_CLEAN_CHARS = 2_000

Tally = Counter[str]


class Finding(Protocol):
    """A value the redactor replaced."""

    @property
    def type(self) -> str:
        """EMAIL, PHONE, ..."""


class Redacted(Protocol):
    """What a redactor returns."""

    @property
    def text(self) -> str:
        """The text with its values replaced."""

    @property
    def findings(self) -> Sequence[Finding]:
        """What was replaced."""

    @property
    def is_dropped(self) -> bool:
        """Whether the text could not be scanned, so that ``text`` is only a stand-in."""


class Scope(Protocol):
    """A redactor that gives one value one placeholder, for one trace."""

    def redact_text(self, text: str) -> Redacted:
        """Redact plain text."""

    def redact_json(self, json_text: str) -> Redacted:
        """Redact the strings inside JSON."""


class Pseudonyms(Protocol):
    """Keyed pseudonyms."""

    def pseudonym(self, kind: str, value: str) -> str:
        """Return the pseudonym of a tenant, user or session."""


class Guard:
    """Applies a table's privacy rules to its rows."""

    def __init__(self, new_scope: Callable[[], Scope], pseudonyms: Pseudonyms) -> None:
        """Use a redactor and a pseudonymiser; one guard serves all tables."""
        self.new_scope = new_scope
        self._pseudonyms = pseudonyms
        self._labels: dict[str, tuple[str | None, tuple[str, ...]]] = {}
        self._clean: set[tuple[str, bool]] = set()
        self._watched: dict[str, tuple[Column, ...]] = {}

    def guard_row(
        self, table: Table, row: Mapping[str, Any], scope: Scope, tally: Tally
    ) -> dict[str, Any]:
        """Return the row as it may be written; columns the table lacks are left out.

        Args:
            table: The row's contract.
            row: Raw values by column name.
            scope: Redaction scope of the row's trace.
            tally: Counts of values by entity type, added to.
        """
        guarded = {
            column.name: _without_controls(column, row.get(column.name)) for column in table.columns
        }
        for column in self._watched_columns(table):
            value = guarded[column.name]
            if value is not None:
                value = self._guard_value(column, value, scope, tally)
                if value is None and not column.nullable:
                    value = DROPPED
                guarded[column.name] = value
        return guarded

    def guard_text(self, text: str | None, tally: Tally) -> str | None:
        """Redact text that belongs to no trace; null when it cannot be scanned."""
        if text is None:
            return None
        return _scan(self.new_scope().redact_text, _CONTROL.sub("", text), tally)

    def guard_label(self, text: str, tally: Tally) -> str | None:
        """Redact a short string that repeats often."""
        text = _CONTROL.sub("", text)
        cached = self._labels.get(text)
        if cached is None:
            found: Tally = Counter()
            clean = _scan(self.new_scope().redact_text, text, found)
            cached = (clean, tuple(found.elements()))
            if len(self._labels) < _MAX_LABELS:
                self._labels[text] = cached
        tally.update(cached[1])
        return cached[0]

    def _guard_value(self, column: Column, value: Any, scope: Scope, tally: Tally) -> Any:
        """Treat one value that is not null."""
        if column.privacy is Privacy.PSEUDONYM:
            return self._pseudonyms.pseudonym(column.name.removesuffix("_key"), str(value))
        if column.privacy is Privacy.TEXT:
            return self._guard_field(str(value), scope, tally, is_json=column.type == "json")
        if isinstance(value, str) and not _may_pass(column, value):
            return self.guard_label(value, tally)
        return value

    def _watched_columns(self, table: Table) -> tuple[Column, ...]:
        """Return the columns whose values may hold personal data: not numbers, not our own words."""
        watched = self._watched.get(table.name)
        if watched is None:
            watched = self._watched[table.name] = tuple(
                column
                for column in table.columns
                if column.privacy is not Privacy.NONE
                or (column.type == "string" and column.name not in _CLOSED)
            )
        return watched

    def _guard_field(self, text: str, scope: Scope, tally: Tally, *, is_json: bool) -> str | None:
        """Redact a TEXT value; one that was scanned before and held nothing passes at once.

        Span names and resource attributes repeat on every span, and whether a text holds
        anything does not depend on its trace.
        """
        if (text, is_json) in self._clean:
            tally[FIELDS_SCANNED] += 1
            return text
        clean = _scan(scope.redact_json if is_json else scope.redact_text, text, tally)
        is_unchanged = clean == text and len(text) <= _MAX_CLEAN_CHARS
        if is_unchanged and len(self._clean) < _MAX_CLEAN:
            self._clean.add((text, is_json))
        return clean


def _may_pass(column: Column, value: str) -> bool:
    """Whether a string is an id that joins depend on, by its column and its shape."""
    is_id = column.name.endswith("_id") or column.name == "system_fingerprint"
    return is_id and _ID_SHAPED.match(value) is not None


def _without_controls(column: Column, value: Any) -> Any:
    """Return a value without control characters; a text of nothing else says nothing."""
    if isinstance(value, str):
        if _CONTROL.search(value) is None or column.name in _EXACT:
            return value
        return _CONTROL.sub("", value) or (None if column.nullable else DROPPED)
    if isinstance(value, list):
        return [_CONTROL.sub("", item) if isinstance(item, str) else item for item in value]
    return value


def _scan(redact: Callable[[str], Redacted], text: str, tally: Tally) -> str | None:
    """Redact, or drop what cannot be scanned; whatever went wrong must not let text through."""
    redacted: Redacted | None
    try:
        redacted = redact(text)
    except Exception:  # Fail closed: no kind of failure may let raw text pass.
        redacted = None
    if redacted is None or redacted.is_dropped:
        tally[FIELDS_DROPPED] += 1
        return None
    tally[FIELDS_SCANNED] += 1
    tally.update(finding.type for finding in redacted.findings)
    return redacted.text
