"""One erasure's knowledge of what is theirs: ids in memory, and the rows that they lead to.

The ids live in an in-memory DuckDB; lake files and warehouse files are attached to it, so that
one condition (``erasure.matching``) finds the rows of every store.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from include.freezeline.erasure.matching import (
    TableShape,
    held_sql,
    in_session_sql,
    match_sql,
    names_them_sql,
    shape_of,
)
from include.freezeline.erasure.subject import Digester, IdKind, SubjectKind, own_column
from include.freezeline.erasure.tombstones import Tombstone
from include.freezeline.retention.policy import LegalHold

_IDS: tuple[IdKind, ...] = ("session_key", "trace_id", "request_id", "response_id", "content_name")
_CONTENTS = ("input_content_name", "output_content_name", "system_content_name")
_TABLES = """
create temp table own (id varchar, before_at timestamptz, is_gone boolean);
create temp table held_traces (id varchar);
create temp table others (trace_id varchar, span_id varchar);
create temp table quoted (source_object varchar, source_offset bigint);
create temp table theirs_call_key (id varchar, before_at timestamptz);
"""

_STONES = pa.schema(
    [("kind", pa.string()), ("digest", pa.string()), ("before_at", pa.timestamp("us", "UTC"))]
)


class ErasureSession:
    """What is known of the subjects of one kind; use :func:`open_session`."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        kind: SubjectKind,
        holds: Sequence[LegalHold],
    ) -> None:
        """Start with nobody."""
        self.kind = kind
        self.connection = connection
        self._holds = tuple(holds)
        connection.execute(_TABLES)
        for name in _IDS:
            connection.execute(
                f"create temp table theirs_{name} (id varchar, before_at timestamptz)"
            )

    def execute(self, sql: str, parameters: Any = None) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows."""
        found: list[tuple[Any, ...]] = self.connection.execute(sql, parameters).fetchall()
        return found

    @contextmanager
    def shown(self, name: str, data: pa.Table) -> Iterator[str]:
        """Let a table in memory be a relation for a while."""
        self.connection.register(name, data)
        try:
            yield name
        finally:
            self.connection.unregister(name)

    def column(self, sql: str) -> pa.Array:
        """Run a query of one column and return it, in the order of its relation."""
        return self.connection.execute(sql).to_arrow_table().column(0).combine_chunks()

    def insert(self, table: str, rows: pa.Table) -> None:
        """Add rows to one of the session's tables."""
        with self.shown("given", rows) as given:
            self.execute(f"insert into {table} select * from {given}")

    def name(self, key: str, before_at: datetime) -> None:
        """Add a subject, whose rows before a time are meant."""
        self.execute("insert into own values (?, ?, true)", [key, before_at])

    def ids(self, kind: IdKind | str) -> list[str]:
        """Return what is known to be theirs, in order."""
        return [row[0] for row in self.execute(f"select distinct id from theirs_{kind} order by 1")]

    def subjects(self) -> list[str]:
        """Return the pseudonyms of the subjects that have no later rows of their own."""
        found = self.execute("select distinct id from own where is_gone order by 1")
        return [row[0] for row in found]

    def recognise(
        self, relations: Iterable[str], stones: Iterable[Tombstone], digester: Digester
    ) -> None:
        """Find ids of tombstones among those that stand in relations.

        Args:
            relations: What to look through.
            stones: Tombstones; those of other kinds of subjects are left aside.
            digester: Makes the digests.
        """
        rows = [
            {"kind": stone.id_kind, "digest": stone.digest, "before_at": stone.before_at}
            for stone in stones
            if stone.subject_kind == self.kind
        ]
        table = pa.Table.from_pylist(rows, schema=_STONES)
        with self.shown("stones", table):
            self._recognise_all(relations, digester)

    def _recognise_all(self, relations: Iterable[str], digester: Digester) -> None:
        """Find the ids of every column that may hold any."""
        for relation in relations:
            shape = self.shape(relation)
            for column in sorted({*_IDS, own_column(self.kind)} & shape.columns):
                self._recognise(relation, column, digester)

    def _recognise(self, relation: str, column: IdKind, digester: Digester) -> None:
        """Find the ids of one column."""
        is_own = column == own_column(self.kind)
        found = (
            f"with there as (select distinct {column} as id from {relation} "
            f"where {column} is not null) "
            "select there.id, max(stones.before_at) as before_at from there inner join stones on "
            "stones.digest = left(sha256(? || there.id), 32) and stones.kind = ? group by there.id"
        )
        table = "own" if is_own else f"theirs_{column}"
        chosen = "id, before_at, true" if is_own else "id, before_at"
        known = f"id not in (select id from {table})"
        self.execute(
            f"insert into {table} select {chosen} from ({found}) where {known}",
            [digester.sql_prefix(column), column],
        )

    def expand(self, spans: str) -> None:
        """Follow the subjects' spans to their sessions, traces, requests, responses and contents.

        Args:
            spans: The relation of all spans.
        """
        named = names_them_sql(self.shape(spans), self.kind)
        column = own_column(self.kind)
        somebody_else = f"({column} is not null and {column} not in (select id from own))"
        if self.kind != "session":
            # Of a tenant only outcomes are found by them, which name no customer of their own.
            self._add("session_key", spans, named, unless=somebody_else)
        self._find_traces(spans, named, column, somebody_else)
        self.execute(
            f"insert into others select distinct trace_id, span_id from {spans} where trace_id in "
            f"(select id from theirs_trace_id) and {somebody_else}"
        )
        theirs = (
            "(trace_id in (select id from theirs_trace_id) and (trace_id, span_id) not in "
            "(select trace_id, span_id from others))"
        )
        for name in ("request_id", "response_id"):
            self._add(name, spans, theirs, unless=f"not {theirs}")
        for name in _CONTENTS:
            self._add("content_name", spans, theirs, unless=f"not {theirs}", column=name)
        self.execute(
            f"update own set is_gone = not exists (select 1 from {spans} as s where "
            f"s.{column} = own.id and s.started_at >= own.before_at)"
        )

    def _find_traces(self, spans: str, named: str, column: str, somebody_else: str) -> None:
        """Find the subjects' traces, and set those apart that a legal hold covers."""
        by_session = f"({column} is null and {in_session_sql('started_at')})"
        also = f" or {by_session}" if self.kind == "user" else ""
        self.execute(
            f"create or replace temp table found_traces as "
            f"select distinct trace_id as id from {spans} where {named}{also} "
            "union select id from theirs_trace_id"
        )
        held = held_sql(self.shape(spans), self._holds)
        self.execute(
            f"insert into held_traces select distinct trace_id from {spans} where trace_id in "
            f"(select id from found_traces) and {held} and not {somebody_else}"
        )
        self.execute(
            "insert into theirs_trace_id (id) select id from found_traces where "
            "id not in (select id from held_traces) and id not in (select id from theirs_trace_id)"
        )
        self.execute("delete from theirs_trace_id where id in (select id from held_traces)")

    def _add(
        self, kind: IdKind, spans: str, where: str, *, unless: str, column: str | None = None
    ) -> None:
        """Add the ids of some spans that no other span has."""
        name = column or kind
        self.execute(
            f"insert into theirs_{kind} select distinct {name}, "
            f"(select max(before_at) from own) from {spans} "
            f"where {where} and {name} is not null and {name} not in "
            f"(select {name} from {spans} where {unless} and {name} is not null) "
            f"and {name} not in (select id from theirs_{kind})"
        )

    def n_shared_sessions(self, spans: str) -> int:
        """Count sessions that the subject shares with somebody else."""
        if self.kind != "user":
            return 0
        named = names_them_sql(self.shape(spans), self.kind)
        found = self.execute(
            f"select count(distinct session_key) from {spans} where {named} "
            "and session_key not in (select id from theirs_session_key)"
        )
        return int(found[0][0])

    def shape(self, relation: str, event_column: str | None = None) -> TableShape:
        """Describe a relation."""
        columns = [row[0] for row in self.execute(f"describe from {relation}")]
        return shape_of(columns, event_column if event_column in columns else None)

    def condition(self, shape: TableShape, *, is_held: bool = False) -> str | None:
        """Return the condition of the rows to erase, or of those that a hold keeps."""
        return match_sql(shape, self.kind, self._holds, is_held=is_held)


@contextmanager
def open_session(kind: SubjectKind, holds: Sequence[LegalHold]) -> Iterator[ErasureSession]:
    """Open a session for subjects of one kind; it is forgotten at its end."""
    connection = duckdb.connect()
    try:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set enable_progress_bar = false")
        yield ErasureSession(connection, kind, holds)
    finally:
        connection.close()


def parquet_relation(files: Sequence[Path]) -> str:
    """Return Parquet files as a relation, with the file and the row's place in it."""
    names = ", ".join("'" + str(file).replace("'", "''") + "'" for file in files)
    return (
        f"read_parquet([{names}], union_by_name = true, hive_partitioning = false, "
        "filename = true, file_row_number = true)"
    )
