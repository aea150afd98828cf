"""What retention does to warehouse files: count rows by date and label, and take them out."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import duckdb

from include.freezeline.adapters.database_rewrite import (
    TableChange,
    attach,
    base_tables,
    rewrite_attached,
)
from include.freezeline.contracts.judgement import JUDGEMENT_TABLES
from include.freezeline.errors import WarehouseError
from include.freezeline.retention.inventory import WarehouseKind

_ALIAS = "warehouse"
# Whole rows of these go with their texts: what is left of them would say nothing.
TEXT_ROWS = frozenset({"marts.fct_call_texts", "judgement.verdict_examples"})
_CALLS = "marts.fct_llm_calls"
_TEXT_SUFFIX = "_redacted"
_DATES = (
    "call_date",
    "evaluated_at",
    "called_at",
    "rated_at",
    "recorded_at",
    "arrived_at",
    "as_of",
)


@dataclass(frozen=True, slots=True)
class TieredTable:
    """A table under retention.

    Attributes:
        name: Schema and name.
        holds: What its rows are.
        label_sql: Date, environment and class of a row of ``t``.
        texts: Its text columns.
    """

    name: str
    holds: WarehouseKind
    label_sql: tuple[str, str, str]
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RowGroup:
    """Rows of one date, environment and class of a table.

    Attributes:
        table: Schema and name.
        holds: What the rows are.
        event_date: Their date.
        environment: ``*`` when nobody knows it.
        data_class: ``*`` when nobody named one.
        n_rows: How many they are.
    """

    table: str
    holds: WarehouseKind
    event_date: date
    environment: str
    data_class: str
    n_rows: int = 0


class TieredDatabase:
    """An attached warehouse file; use :func:`open_tiered`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path) -> None:
        """Look at what the file has."""
        self._connection, self._path = connection, path
        self._columns = dict(base_tables(connection, _ALIAS))
        self._tables = {table.name: table for table in self._tiered()}

    def groups(self) -> list[RowGroup]:
        """Count the rows under retention."""
        return [group for table in self._tables.values() for group in self._groups_of(table)]

    def purge(self, groups: Sequence[RowGroup]) -> list[int]:
        """Take rows, or their texts, out of the file; return how many there were of each group."""
        there = {replace(group, n_rows=0): group.n_rows for group in self.groups()}
        counts = [there.get(replace(group, n_rows=0), 0) for group in groups]
        changes = {name: self._change(self._tables[name], chosen)
                   for name, chosen in _by_table(groups, counts).items()}  # fmt: skip
        if changes:
            rewrite_attached(self._connection, self._path, _ALIAS, changes)
        return counts

    def _groups_of(self, table: TieredTable) -> Iterator[RowGroup]:
        """Count the rows of one table; of a table whose texts alone go, those that have any."""
        some = " or ".join(f"{name} is not null" for name in table.texts)
        where = f" where {some}" if table.holds == "texts" else ""
        for day, environment, data_class, n_rows in self._connection.execute(
            f"select {', '.join(table.label_sql)}, count(*) from {_ALIAS}.{table.name} as t{where} "
            "group by all order by all"
        ).fetchall():
            yield RowGroup(table.name, table.holds, day, environment, data_class, n_rows)

    def _change(self, table: TieredTable, groups: Sequence[RowGroup]) -> TableChange:
        """Return what to change in a table."""
        name = f"purged_{table.name.replace('.', '_')}"
        self._connection.execute(
            f"create or replace temp table {name} (day date, environment text, data_class text)"
        )
        self._connection.executemany(
            f"insert into {name} values (?, ?, ?)",
            [(group.event_date, group.environment, group.data_class) for group in groups],
        )
        day, environment, data_class = table.label_sql
        hit = (
            f"coalesce(({day}, {environment}, {data_class}) in "
            f"(select day, environment, data_class from {name}), false)"
        )
        if table.holds == "texts":
            return TableChange(emptied=dict.fromkeys(table.texts, hit))
        return TableChange(drop=hit)

    def _tiered(self) -> Iterator[TieredTable]:
        """Yield the tables under retention.

        Freeze transitions have no ``as_of`` and stay for good: they are the record of every freeze.
        """
        judgements = {f"judgement.{table.name}" for table in JUDGEMENT_TABLES}
        for name, columns in self._columns.items():
            texts = tuple(column for column in columns if column.endswith(_TEXT_SUFFIX))
            day = next((column for column in _DATES if column in columns), None)
            if name in TEXT_ROWS and day is not None:
                yield TieredTable(name, "text_rows", self._labels(name, day), texts)
            elif name in judgements and "as_of" in columns:
                yield TieredTable(name, "judgement", self._labels(name, "as_of"), ())
            elif texts and day is not None:
                yield TieredTable(name, "texts", self._labels(name, day), texts)

    def _labels(self, table: str, day: str) -> tuple[str, str, str]:
        """Return the SQL of a row's date, environment and class; a call knows its rows' labels."""
        found = [f"cast(t.{day} as date)"]
        columns, calls = self._columns[table], self._columns.get(_CALLS, [])
        keys = next((keys for keys in (("call_key",), ("trace_id", "span_id"))
                     if set(keys) <= {*columns} & {*calls}), None)  # fmt: skip
        for name in ("environment", "data_class"):
            if name in columns:
                value = f"t.{name}"
            elif name in calls and keys is not None:
                same = " and ".join(f"c.{key} = t.{key}" for key in keys)
                value = f"(select min(c.{name}) from {_ALIAS}.{_CALLS} as c where {same})"
            else:
                value = "null"
            found.append(f"coalesce({value}, '*')")
        return found[0], found[1], found[2]


@contextmanager
def open_tiered(path: Path) -> Iterator[TieredDatabase]:
    """Open a warehouse file to look at it or to take rows out.

    Raises:
        WarehouseError: It is no DuckDB file, or somebody is writing to it.
    """
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set enable_progress_bar = false")
        try:
            attach(connection, path, _ALIAS)
        except duckdb.Error as error:
            message = (
                f"{path}: cannot be opened as a warehouse (if it is damaged, delete it): {error}"
            )
            raise WarehouseError(message) from error
        yield TieredDatabase(connection, path)


def _by_table(groups: Sequence[RowGroup], counts: Sequence[int]) -> Mapping[str, list[RowGroup]]:
    """Return the groups that have rows, by table."""
    found: dict[str, list[RowGroup]] = {}
    for group, n_rows in zip(groups, counts, strict=True):
        if n_rows:
            found.setdefault(group.table, []).append(group)
    return found
