"""A subject's rows in a warehouse file: the nightly's own or a published snapshot."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from include.freezeline.adapters.database_rewrite import (
    TableChange,
    attach,
    base_tables,
    rewrite_attached,
)
from include.freezeline.adapters.erasure_session import ErasureSession
from include.freezeline.adapters.lake_erasure import texts_of
from include.freezeline.adapters.small_groups import SmallGroups
from include.freezeline.erasure.matching import TableShape
from include.freezeline.erasure.policy import Aggregates
from include.freezeline.erasure.quotes import Quotes
from include.freezeline.erasure.receipt import HELD, Finding

_JUDGEMENT = "judgement."
_PAIRS = pa.schema([("old", pa.string()), ("new", pa.string())])


class DatabaseStore:
    """A warehouse file, as an erasure sees it."""

    def __init__(
        self,
        session: ErasureSession,
        path: Path,
        name: str,
        alias: str,
        aggregates: Aggregates,
    ) -> None:
        """Attach the file.

        Args:
            session: What is known of the subject.
            path: The file.
            name: What findings call it.
            alias: What the session calls it.
            aggregates: Which rows about many people may stay.
        """
        self._session = session
        self._path, self._name, self._alias = path, name, alias
        self._aggregates = aggregates
        attach(session.connection, path, alias)
        self._columns = dict(base_tables(session.connection, alias))

    def relations(self) -> list[str]:
        """Return every table."""
        return [self._relation(table) for table in self._columns]

    def note_calls(self) -> None:
        """Add the keys of the subject's calls to what the session knows."""
        for table, relation, shape in self._tables():
            if {"call_key", "trace_id"} <= set(self._columns[table]):
                self._session.execute(
                    f"insert into theirs_call_key (id) select distinct call_key from {relation} "
                    f"where {self._session.condition(shape)} "
                    "and call_key not in (select id from theirs_call_key)"
                )

    def texts(self) -> Iterator[str]:
        """Yield the subject's texts."""
        for _, relation, shape in self._tables():
            yield from texts_of(self._session, relation, shape)

    def find(self, quotes: Quotes) -> list[Finding]:
        """Count the subject's rows, small aggregates and quotes by table."""
        return self._changes(quotes)[1]

    def erase(self, quotes: Quotes) -> list[Finding]:
        """Write the file again without them."""
        changes, found = self._changes(quotes)
        if changes:
            rewrite_attached(self._session.connection, self._path, self._alias, changes)
        return [Finding(f.store, f.n_found, f.n_left, f.reason, n_deleted=f.n_found) for f in found]

    def _changes(self, quotes: Quotes) -> tuple[dict[str, TableChange], list[Finding]]:
        """Decide what to change, and count it."""
        groups = SmallGroups(self._session, self._alias, self._columns, self._aggregates)
        changes: dict[str, TableChange] = {}
        found: list[Finding] = []
        for table in self._columns:
            drop, n_rows, n_held = self._drop_of(table, groups.condition(table))
            pairs, n_quotes = self._replacements(table, quotes)
            store = f"{self._name}/{table}"
            if n_rows or pairs:
                changes[table] = TableChange(drop if n_rows else None, pairs)
            if n_rows or n_held:
                found.append(Finding(store, n_rows, n_held, HELD if n_held else ""))
            if n_quotes:
                found.append(Finding(f"{store} (quotes)", n_quotes))
        return changes, found

    def _drop_of(self, table: str, small: str | None) -> tuple[str | None, int, int]:
        """Return the condition of a table's rows to drop, their number, and that of held ones.

        Args:
            table: The table.
            small: Condition of its rows about too few persons.
        """
        relation = self._relation(table)
        shape = self._session.shape(relation)
        parts = [self._session.condition(shape), small]
        drop = " or ".join(part for part in parts if part) or None
        held = self._session.condition(shape, is_held=True)
        return drop, self._count(relation, drop), self._count(relation, held)

    def _count(self, relation: str, where: str | None) -> int:
        """Count rows."""
        if where is None:
            return 0
        found = self._session.execute(f"select count(*) from {relation} as t where {where}")
        return int(found[0][0])

    def _replacements(self, table: str, quotes: Quotes) -> tuple[dict[str, str], int]:
        """Find judgement texts that quote the subject's ids; what replaces them lies in a table."""
        if not quotes or not table.startswith(_JUDGEMENT):
            return {}, 0
        tables: dict[str, str] = {}
        n_quotes = 0
        for column in self._columns[table]:
            sql = (
                f"select distinct {column} from {self._relation(table)} where {column} is not null"
            )
            values = [row[0] for row in self._session.execute(sql)]
            texts = [value for value in values if isinstance(value, str)]
            pairs = [(old, quotes.replace(old)) for old in texts]
            changed = [{"old": old, "new": new} for old, new in pairs if new != old]
            if changed:
                name = f"quotes_{self._alias}_{table.replace('.', '_')}_{column}"
                self._session.execute(f"create or replace temp table {name} (old text, new text)")
                self._session.insert(name, pa.Table.from_pylist(changed, schema=_PAIRS))
                tables[column] = name
                n_quotes += len(changed)
        return tables, n_quotes

    def _tables(self) -> Iterator[tuple[str, str, TableShape]]:
        """Yield each table that may hold rows of people, as name, relation, shape."""
        for table in self._columns:
            relation = self._relation(table)
            shape = self._session.shape(relation)
            if self._session.condition(shape) is not None:
                yield table, relation, shape

    def _relation(self, table: str) -> str:
        """Return a table's name in the session."""
        return f"{self._alias}.{table}"
