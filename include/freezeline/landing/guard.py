"""What may be written of a row: each column is treated as its contract says.

TEXT columns go through the redactor, PSEUDONYM columns become keyed pseudonyms. NONE columns are
of three kinds. Closed vocabularies that our readers produce pass. Ids pass unchanged as long as
they have the shape of an id, because facts join on them. Every other string was chosen by the
source (a tool's name, a route, an error class) and may carry anything, so it is scanned too.
Scanning fails closed: a value that cannot be scanned is dropped and counted.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple, Protocol

import orjson

from include.freezeline.contracts.columns import Column, Privacy, Table
from include.freezeline.landing.columns import is_all_none, transposed
from include.freezeline.landing.ids import SPAN_IDS, are_plain_ids, holds_ids, is_plain_id
from include.freezeline.landing.scopes import (
    FIELDS_SCANNED,
    KnownTexts,
    Looked,
    Scope,
    Scopes,
    Tally,
    scan,
)

DROPPED = "<DROPPED>"
_CLOSED = frozenset(
    {
        "dialect", "span_type", "status", "error_class", "ttft_source", "tpot_source", "carrier",
        "source_object", "source_sha256", "finish_reasons", "format", "signal",
    }
)  # fmt: skip
_CONTROL_CHARS = tuple(char for char in map(chr, range(0x20)) if char not in "\t\n\r")
# Keys with a NUL break readers of the tables, and one inside a value hides it from the scan.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_MAX_LABELS = 20_000
_MAX_CLEAN_CHARS = 50_000
_SHORT_CHARS = 150
_MAX_DIFFERENT = 100


class Pseudonyms(Protocol):
    """Keyed pseudonyms."""

    def pseudonym(self, kind: str, value: str) -> str:
        """Return the pseudonym of a tenant, user or session."""


class Look(Protocol):
    """Looks at many texts at once."""

    def __call__(self, fields: Sequence[str], *, is_json: bool) -> Looked:
        """Return which texts surely hold nothing to redact, and what the others hold."""


class Guard:
    """Applies a table's privacy rules to its rows, column by column."""

    def __init__(
        self,
        new_scope: Callable[[], Scope],
        pseudonyms: Pseudonyms,
        look: Look | None = None,
    ) -> None:
        """Use a redactor and a pseudonymiser; one guard serves all tables.

        Args:
            new_scope: Makes the scope of a trace.
            pseudonyms: Makes pseudonyms of tenants, users and sessions.
            look: Looks at many texts in one pass; without it each is looked at alone.
        """
        self.new_scope = new_scope
        self._look = look
        self._pseudonyms = pseudonyms
        self._labels: dict[str, tuple[str | None, tuple[str, ...]]] = {}
        self._hidden: dict[tuple[str, str], str] = {}
        self._clean = {False: KnownTexts(), True: KnownTexts()}

    def scopes(self) -> Scopes:
        """Return the scopes of a new object."""
        return Scopes(self.new_scope)

    def guard_columns(
        self,
        table: Table,
        rows: Sequence[Mapping[str, Any]],
        scopes: Scopes,
        tally: Tally,
        *,
        without: Collection[str] = (),
    ) -> dict[str, Sequence[Any]]:
        """Return the rows as they may be written, by column; columns the table lacks are left out.

        Args:
            table: The rows' contract.
            rows: Raw values by column name.
            scopes: Redaction scopes of the object.
            tally: Counts of values by entity type, added to.
            without: Columns to leave out, which landing itself fills.
        """
        wanted = [column for column in table.columns if column.name not in without]
        columns = transposed([column.name for column in wanted], rows)
        texts: list[tuple[Column, list[Any]]] = []
        for column in wanted:
            values = columns[column.name]
            if is_all_none(values):
                continue
            if column.privacy is Privacy.TEXT:
                columns[column.name] = kept = list(values)
                texts.append((column, kept))
            elif column.privacy is Privacy.PSEUDONYM:
                columns[column.name] = [self._pseudonym(column, value) for value in values]
            elif column.type == "string" and column.name not in _CLOSED:
                columns[column.name] = self._labels_of(column, values, tally)
            elif column.type == "list<string>":
                columns[column.name] = _lists_without_controls(values)
        if texts:
            traces = columns.get("trace_id") or [None] * len(rows)
            self._guard_texts(texts, traces, scopes, tally)
        return columns

    def guard_text(self, text: str | None, tally: Tally) -> str | None:
        """Redact text that belongs to no trace; null when it cannot be scanned."""
        if text is None:
            return None
        return scan(self.new_scope().redact_text, tally, _CONTROL.sub("", text))

    def guard_label(self, text: str, tally: Tally, n_times: int = 1) -> str | None:
        """Redact a short string that repeats often.

        Args:
            text: The string.
            tally: Counts of values by entity type, added to.
            n_times: How often it is there.
        """
        text = _CONTROL.sub("", text)
        cached = self._labels.get(text)
        if cached is None:
            found: Tally = Counter()
            clean = scan(self.new_scope().redact_text, found, text)
            cached = (clean, tuple(found.elements()))
            if len(self._labels) < _MAX_LABELS:
                self._labels[text] = cached
        for entity in cached[1]:
            tally[entity] += n_times
        return cached[0]

    def _labels_of(self, column: Column, values: Sequence[Any], tally: Tally) -> Sequence[Any]:
        """Treat a column of strings that the source chose, each different one once."""
        is_id = holds_ids(column)
        if column.name in SPAN_IDS or (is_id and are_plain_ids(values)):
            return values
        try:
            counts = Counter(values)
        except TypeError:  # some reader's mistake; refused when the column is converted
            counts = Counter(value for value in values if isinstance(value, str))
        changed: dict[str, str | None] = {}
        for text, n_times in counts.items():
            if isinstance(text, str):
                guarded = self._label(column, text, tally, n_times, is_id=is_id)
                if guarded != text:
                    changed[text] = guarded
        if not changed:
            return values
        return [changed.get(value, value) if isinstance(value, str) else value for value in values]

    def _label(
        self, column: Column, text: str, tally: Tally, n_times: int, *, is_id: bool
    ) -> str | None:
        """Treat one string that the source chose."""
        clean = _without_controls(text)
        guarded: str | None = clean
        is_empty = not clean and bool(text)
        passes = column.name in _CLOSED or (is_id and is_plain_id(clean))
        if not is_empty and not passes:
            guarded = self.guard_label(clean, tally, n_times)
        return _filled(column, None if is_empty else guarded)

    def _pseudonym(self, column: Column, value: Any) -> str | None:
        """Return the pseudonym of a value; remembers those it has made."""
        if value is None:
            return None
        known = self._hidden.get((column.name, value)) if isinstance(value, str) else None
        if known is not None:
            return known
        text = _without_controls(str(value))
        if not text and str(value):
            return _filled(column, None)
        made = self._pseudonyms.pseudonym(column.name.removesuffix("_key"), text)
        if isinstance(value, str) and len(self._hidden) < _MAX_LABELS:
            self._hidden[column.name, value] = made
        return made

    def _guard_texts(
        self,
        texts: Sequence[tuple[Column, list[Any]]],
        traces: Sequence[Any],
        scopes: Scopes,
        tally: Tally,
    ) -> None:
        """Redact the texts in place, row by row, so that a trace numbers its values in order.

        Messages come before the plain texts that are parts of them.
        """
        clean: dict[str, _Clean] = {}
        unsure: list[tuple[int, int, _Unsure]] = []
        for place, (column, values) in enumerate(sorted(texts, key=lambda t: t[0].type != "json")):
            is_json, holder = column.type == "json", clean.get(_holder(column))
            held = holder.rows_that_hold(values) if holder else set()
            found, rows = self._looked_at(values, held, is_json=is_json)
            clean[column.name] = _Clean(values, rows)
            tally[FIELDS_SCANNED] += len(rows)
            unsure += [
                (row, place, _Unsure(column, values, found))
                for row, value in enumerate(values)
                if value is not None and row not in rows
            ]
        for row, _, field in sorted(unsure, key=itemgetter(0, 1)):
            self._redact(field, row, scopes.of(traces[row]), tally)

    def _looked_at(
        self, values: Sequence[Any], held: set[int], *, is_json: bool
    ) -> tuple[dict[str, tuple[Looked, Any]], set[int]]:
        """Look at a column in one pass, and at each different text once.

        Span names, instructions and resource attributes are the same few on every span.

        Args:
            values: The column.
            held: Rows that need no look.
            is_json: Whether the texts are JSON.

        Returns:
            What is known of texts that hold something, and the rows of the clean ones.
        """
        rows: dict[str, list[int]] = {}
        for row, value in enumerate(values):
            if isinstance(value, str) and row not in held:
                rows.setdefault(value, []).append(row)
        known = self._clean[is_json]
        texts = [text for text in rows if text not in known]
        try:
            looked = self._look(texts, is_json=is_json) if self._look else None
        except Exception:  # Fail closed: each text is then looked at alone.
            looked = None
        found: dict[str, tuple[Looked, Any]] = {}
        for number, text in enumerate(texts):
            if looked is None:
                del rows[text]
            elif number not in looked.clean:
                del rows[text]
                found[text] = looked, looked.documents.get(number)
        if len(rows) <= _MAX_DIFFERENT:
            for text in rows:
                if len(text) <= _MAX_CLEAN_CHARS:
                    known.add(text)
        return found, held.union(*rows.values())

    def _redact(self, field: "_Unsure", row: int, scope: Scope, tally: Tally) -> None:
        """Redact one text in place."""
        column, values, found = field
        is_json, value = column.type == "json", values[row]
        looked, document = found.get(value, (None, None))
        if document is not None:
            guarded = scan(scope.redact_document, tally, document, looked)
        elif looked is not None and value in looked.findings:
            guarded = scan(scope.redact_text, tally, value, looked)
        else:
            guarded = self._guard_field(value, scope, tally, is_json=is_json)
        if guarded is not value:
            values[row] = guarded if guarded is not None else _filled(column, None)

    def _guard_field(self, value: Any, scope: Scope, tally: Tally, *, is_json: bool) -> str | None:
        """Redact a TEXT value; one that was scanned before and held nothing passes at once.

        Span names and resource attributes repeat on every span, and whether a text holds
        anything does not depend on its trace.
        """
        known, raw = self._clean[is_json], str(value)
        if len(raw) <= _MAX_CLEAN_CHARS and raw in known:
            tally[FIELDS_SCANNED] += 1
            return raw
        text = _without_controls(raw)
        if raw and not text:
            return None
        clean = scan(scope.redact_json if is_json else scope.redact_text, tally, text)
        if clean != raw:
            return clean
        if len(raw) <= _MAX_CLEAN_CHARS:
            known.add(raw)
        return raw


class _Clean(NamedTuple):
    """Which texts of a column hold nothing.

    Attributes:
        values: The column.
        rows: The rows of the clean ones.
    """

    values: Sequence[Any]
    rows: Collection[int]

    def rows_that_hold(self, texts: Sequence[Any]) -> set[int]:
        """Return the rows whose clean document has the other column's text as a string."""
        return {
            row
            for row in self.rows
            if texts[row] is not None and _is_string_in(texts[row], self.values[row])
        }


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


def _holder(column: Column) -> str:
    """Return the JSON column of the same row that mostly holds a plain text as well."""
    return column.name.replace("_text_", "_messages_") if column.type != "json" else ""


def _is_string_in(text: str, json_text: str) -> bool:
    """Return whether a text is one of the strings of a JSON text that was found to be clean."""
    try:
        return orjson.dumps(text).decode() in json_text
    except TypeError:  # not a text, or a lone surrogate
        return False


def _filled(column: Column, value: str | None) -> str | None:
    """Return a value, or what stands for a dropped one where null is not allowed."""
    return DROPPED if value is None and not column.nullable else value


def _without_controls(text: str) -> str:
    """Return a text without control characters."""
    if len(text) < _SHORT_CHARS:
        return _CONTROL.sub("", text)
    # A search for each character is far quicker than one for the class of them.
    found = [char for char in _CONTROL_CHARS if char in text]
    return _CONTROL.sub("", text) if found else text


def _lists_without_controls(values: Sequence[Any]) -> list[Any]:
    """Return lists of texts without control characters."""
    return [
        [_CONTROL.sub("", item) if isinstance(item, str) else item for item in value]
        if isinstance(value, list)
        else value
        for value in values
    ]
