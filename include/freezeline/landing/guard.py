"""What may be written of a row: each column is treated as its contract says.

TEXT columns go through the redactor, PSEUDONYM columns become keyed pseudonyms. NONE columns are
of three kinds. Closed vocabularies that our readers produce pass. Ids pass unchanged as long as
they have the shape of an id, because facts join on them. Every other string was chosen by the
source (a tool's name, a route, an error class) and may carry anything, so it is scanned too.
Scanning fails closed: a value that cannot be scanned is dropped and counted.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

from include.freezeline.contracts.columns import Column, Privacy, Table
from include.freezeline.landing.columns import is_all_none, transposed
from include.freezeline.landing.ids import SPAN_IDS, are_plain_ids, holds_ids, is_plain_id
from include.freezeline.landing.scopes import Scope, Scopes, Tally
from include.freezeline.landing.texts import (
    Look,
    TextGuard,
    filled,
    scan_twice,
    without_controls,
)
from include.freezeline.redaction.controls import CONTROL

_CLOSED = frozenset(
    {
        "dialect", "span_type", "status", "error_class", "ttft_source", "tpot_source", "carrier",
        "source_object", "source_sha256", "finish_reasons", "format", "signal",
    }
)  # fmt: skip
_MAX_LABELS = 20_000


class Pseudonyms(Protocol):
    """Keyed pseudonyms."""

    def pseudonym(self, kind: str, value: str) -> str:
        """Return the pseudonym of a tenant, user or session."""


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
        self._pseudonyms = pseudonyms
        self._labels: dict[str, tuple[str | None, tuple[str, ...]]] = {}
        self._hidden: dict[tuple[str, str], str] = {}
        self._texts = TextGuard(look)

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
                columns[column.name] = self._pseudonyms_of(column, values)
            elif column.type == "string" and column.name not in _CLOSED:
                columns[column.name] = self._labels_of(column, values, tally)
            elif column.type == "list<string>":
                columns[column.name] = _lists_without_controls(values)
        if texts:
            traces = columns.get("trace_id") or [None] * len(rows)
            self._texts.guard(texts, traces, scopes, tally)
        return columns

    def guard_text(self, text: str | None, tally: Tally) -> str | None:
        """Redact text that belongs to no trace; null when it cannot be scanned."""
        if text is None:
            return None
        return scan_twice(self.new_scope().redact_text, tally, text)

    def guard_label(self, text: str, tally: Tally, n_times: int = 1) -> str | None:
        """Redact a short string that repeats often.

        Args:
            text: The string.
            tally: Counts of values by entity type, added to.
            n_times: How often it is there.
        """
        cached = self._labels.get(text)
        if cached is None:
            found: Tally = Counter()
            clean = scan_twice(self.new_scope().redact_text, found, text)
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
        clean = without_controls(text)
        guarded: str | None = clean
        is_empty = not clean and bool(text)
        passes = column.name in _CLOSED or (is_id and is_plain_id(clean))
        if not is_empty and not passes:
            guarded = self.guard_label(text, tally, n_times)
        return filled(column, None if is_empty else guarded)

    def _pseudonyms_of(self, column: Column, values: Sequence[Any]) -> Sequence[Any]:
        """Return the pseudonyms of a column, each different one asked for once."""
        texts = {value for value in values if type(value) is str}
        hidden = {text: self._pseudonym(column, text) for text in texts}
        return [
            hidden[value] if type(value) is str else self._pseudonym(column, value)
            for value in values
        ]

    def _pseudonym(self, column: Column, value: Any) -> str | None:
        """Return the pseudonym of a value; remembers those it has made."""
        if value is None:
            return None
        known = self._hidden.get((column.name, value)) if isinstance(value, str) else None
        if known is not None:
            return known
        text = without_controls(str(value))
        if not text and str(value):
            return filled(column, None)
        made = self._pseudonyms.pseudonym(column.name.removesuffix("_key"), text)
        if isinstance(value, str) and len(self._hidden) < _MAX_LABELS:
            self._hidden[column.name, value] = made
        return made


def _lists_without_controls(values: Sequence[Any]) -> list[Any]:
    """Return lists of texts without control characters."""
    return [
        [CONTROL.sub("", item) if isinstance(item, str) else item for item in value]
        if isinstance(value, list)
        else value
        for value in values
    ]
