"""The DuckDB warehouse: one writer, append-only judgement tables, published snapshots.

A DuckDB file has one writing process, and while it writes nobody else can open the file. So
only the nightly opens ``<home>/warehouse/freezeline.duckdb`` for writing, and people, the page,
the gate and BI read the published snapshot of the last good night, which is put in place by an
atomic rename and never changes afterwards.
"""

import fcntl
import json
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from include.freezeline.contracts.arrow import arrow_schema
from include.freezeline.contracts.columns import Column, ColumnType, Table
from include.freezeline.contracts.judgement import JUDGEMENT_TABLES
from include.freezeline.errors import WarehouseError
from include.freezeline.hashing import content_hash
from include.freezeline.settings import Settings

_SQL_TYPES: dict[ColumnType, str] = {
    "string": "varchar",
    "int8": "tinyint",
    "int32": "integer",
    "int64": "bigint",
    "float64": "double",
    "bool": "boolean",
    "timestamp": "timestamptz",
    "date": "date",
    "json": "varchar",
    "list<string>": "varchar[]",
    "list<int64>": "bigint[]",
    "list<float64>": "double[]",
    "decimal(18,12)": "decimal(18,12)",
    "decimal(38,12)": "decimal(38,12)",
}
_BOOKKEEPING = frozenset({"revision", "content_hash"})
# Texts and keys take about half the room in files of this version (docs/scale.md), which every
# DuckDB since 1.3 reads. A file keeps the version it was made with. profiles.yml says the same.
STORAGE_VERSION = "v1.3.0"
_LOCK_RETRIES = 40
_LOCK_WAIT_S = 0.25
# ioctl FICLONE of linux/fs.h; file systems that cannot, say so.
_CLONE = 0x40049409
_COPY_BYTES = 16 * 1024 * 1024
SqlError = duckdb.Error
"""What a query raises that DuckDB refuses; jobs catch it without importing DuckDB."""
Parameters = Sequence[object] | Mapping[str, object] | None


class Warehouse:
    """An open connection; use :func:`open_warehouse`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Wrap an open connection."""
        self._connection = connection

    def query(self, sql: str, parameters: Parameters = None) -> pd.DataFrame:
        """Run a query and return all of its rows."""
        frame: pd.DataFrame = self._connection.execute(sql, parameters).df()
        return frame

    def rows(self, sql: str, parameters: Parameters = None) -> list[dict[str, Any]]:
        """Run a query and return its rows as plain Python values (None for null)."""
        cursor = self._connection.execute(sql, parameters)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def execute(self, sql: str, parameters: Parameters = None) -> None:
        """Run a statement for its effect."""
        self._connection.execute(sql, parameters).fetchall()

    def rollback(self) -> None:
        """Undo the open transaction; a failed commit has already done so."""
        with suppress(duckdb.TransactionException):
            self._connection.execute("rollback")

    def replace_mart(self, name: str, source: str) -> None:
        """Replace a mart by a copy of the rows of another relation."""
        self.execute("create schema if not exists marts")
        self.execute(f"create or replace table marts.{name} as select * from {source}")

    def insert(self, table: str, batch: pa.Table) -> None:
        """Insert an Arrow table, columns by name; a statement per row is about 90 times slower."""
        self._connection.register("new_rows", batch)
        self._connection.execute(f"insert into {table} by name select * from new_rows")
        self._connection.unregister("new_rows")

    def append_revisions(self, table: Table, rows: Sequence[Mapping[str, object]]) -> int:
        """Append rows that say something new about their key.

        A row whose content equals the newest revision of its key is skipped, so that running a
        night again writes nothing; a changed one is appended with the next revision.

        Args:
            table: A table of the judgement schema.
            rows: Values by column name, without ``revision`` and ``content_hash``.

        Returns:
            How many rows were appended.
        """
        known = self._newest_revisions(table)
        fresh = [row for row in map(_with_hash, rows) if _is_news(row, known, table)]
        for row in fresh:
            row["revision"] = known.get(_key_of(row, table), (0, ""))[0] + 1
        if fresh:
            self._insert(table, fresh)
        return len(fresh)

    def ensure_judgement_tables(self) -> None:
        """Create the judgement schema and what is missing of its tables and columns."""
        self.execute("create schema if not exists judgement")
        for table in JUDGEMENT_TABLES:
            columns = ", ".join(_sql_column(column) for column in table.columns)
            self.execute(f"create table if not exists judgement.{table.name} ({columns})")
            self._add_new_columns(table)

    def _add_new_columns(self, table: Table) -> None:
        """Add nullable columns that a table of an older release does not have."""
        found = self.rows(
            "select column_name from information_schema.columns "
            "where table_schema = 'judgement' and table_name = ?",
            [table.name],
        )
        names = {row["column_name"] for row in found}
        for column in table.columns:
            if column.nullable and column.name not in names:
                self.execute(f"alter table judgement.{table.name} add column {_sql_column(column)}")

    def _newest_revisions(self, table: Table) -> dict[tuple[object, ...], tuple[int, str]]:
        """Return revision and hash of the newest row of each key."""
        key = ", ".join(table.key)
        found = self.rows(
            f"select {key}, revision, content_hash from judgement.{table.name} "
            f"qualify row_number() over (partition by {key} order by revision desc) = 1"
        )
        return {_key_of(row, table): (row["revision"], row["content_hash"]) for row in found}

    def _insert(self, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
        """Insert rows of the judgement schema."""
        batch = pa.Table.from_pylist([dict(row) for row in rows], schema=arrow_schema(table))
        self.insert(f"judgement.{table.name}", batch)


@contextmanager
def open_scratch() -> Iterator[Warehouse]:
    """Open a database in memory, for work on files and other databases."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set enable_progress_bar = false")
        yield Warehouse(connection)


@contextmanager
def open_warehouse(path: Path, *, read_only: bool) -> Iterator[Warehouse]:
    """Open a DuckDB file, waiting a bounded time for another writer to finish.

    Args:
        path: The database file.
        read_only: Readers open snapshots; only the nightly writes.

    Raises:
        WarehouseError: The file is missing (readers) or stays locked.
    """
    with open_connection(path, read_only=read_only) as connection:
        yield Warehouse(connection)


@contextmanager
def open_connection(path: Path, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a DuckDB file as :func:`open_warehouse` does, for adapters that need DuckDB itself."""
    if read_only and not path.exists():
        message = f"{path}: no warehouse yet (run the nightly DAG, or `make demo`)"
        raise WarehouseError(message)
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = _connect(path, read_only=read_only)
    try:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set enable_progress_bar = false")
        yield connection
    finally:
        connection.close()


def publish_snapshot(settings: Settings, as_of: datetime) -> Path:
    """Publish the warehouse as the read-only snapshot of ``as_of``, atomically.

    Readers that hold the old snapshot keep it; new readers get the new one. The snapshot is a
    copy, so later nights never change it. The snapshot of a past night (a backfill) is kept, but
    a newer one stays the current one.

    Returns:
        The snapshot's database file.
    """
    target = _snapshot_path(settings, as_of)
    target.parent.mkdir(parents=True, exist_ok=True)
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        warehouse.execute("checkpoint")
    partial = target.with_suffix(".partial")
    _copy(settings.warehouse_path, partial)
    partial.chmod(0o444)
    partial.replace(target)
    if is_newest_night(settings, as_of):
        _point_to(settings, target, as_of)
    return target


def _copy(source: Path, target: Path) -> None:
    """Copy a file, by sharing its blocks where the file system can (Btrfs, XFS).

    Blocks are shared until one of the two files is written to, so a snapshot stays as it is, costs
    no time and no room until then, and is gone from the disk once every file with its blocks is.
    """
    with source.open("rb") as read, target.open("wb") as written:
        try:
            fcntl.ioctl(written.fileno(), _CLONE, read.fileno())
        except OSError:
            shutil.copyfileobj(read, written, _COPY_BYTES)


def is_newest_night(settings: Settings, as_of: datetime) -> bool:
    """Whether no later night has been published."""
    pointer = settings.snapshot_dir / "current.json"
    if not pointer.exists():
        return True
    current = json.loads(pointer.read_text(encoding="utf-8"))
    return as_of >= datetime.fromisoformat(str(current["as_of"]))


def latest_snapshot(settings: Settings) -> Path:
    """Return the newest published snapshot.

    Raises:
        WarehouseError: Nothing has been published yet.
    """
    pointer = settings.snapshot_dir / "current.json"
    if not pointer.exists():
        message = f"{pointer}: nothing published yet (run the nightly DAG, or `make demo`)"
        raise WarehouseError(message)
    current = json.loads(pointer.read_text(encoding="utf-8"))
    return settings.snapshot_dir / str(current["file"])


def snapshot_files(folder: Path) -> list[Path]:
    """Return the published snapshots, the oldest first."""
    return sorted(folder.glob("as_of=*.duckdb"))


def snapshot_as_of(path: Path) -> datetime:
    """Return the night that a snapshot's name says."""
    stamp = path.stem.removeprefix("as_of=")
    return datetime.strptime(stamp, "%Y-%m-%dT%H%M%SZ").replace(tzinfo=UTC)


def _snapshot_path(settings: Settings, as_of: datetime) -> Path:
    """Return where the snapshot of a night lies."""
    return settings.snapshot_dir / f"as_of={as_of.astimezone(UTC):%Y-%m-%dT%H%M%SZ}.duckdb"


def _point_to(settings: Settings, target: Path, as_of: datetime) -> None:
    """Swap the pointer file to the new snapshot, and the link for clients that know one path."""
    pointer = settings.snapshot_dir / "current.json"
    partial = pointer.with_suffix(".partial")
    partial.write_text(json.dumps({"file": target.name, "as_of": as_of.isoformat()}))
    partial.replace(pointer)
    link = settings.snapshot_dir / "current.link"
    link.unlink(missing_ok=True)
    link.symlink_to(target.name)
    link.replace(settings.snapshot_dir / "current.duckdb")


def _connect(path: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    """Connect, trying again while another process holds the lock."""
    for attempt in range(_LOCK_RETRIES):
        try:
            return duckdb.connect(
                str(path),
                read_only=read_only,
                config={"storage_compatibility_version": STORAGE_VERSION},
            )
        except duckdb.IOException as error:
            if "lock" not in str(error).lower() or attempt == _LOCK_RETRIES - 1:
                message = f"{path}: cannot open the warehouse: {error}"
                raise WarehouseError(message) from error
            time.sleep(_LOCK_WAIT_S)
    raise AssertionError


def sql_columns(table: Table) -> dict[str, str]:
    """Return the SQL types of a table's columns by name."""
    return {column.name: _SQL_TYPES[column.type] for column in table.columns}


def _sql_column(column: Column) -> str:
    """Return the column's DDL."""
    return f"{column.name} {_SQL_TYPES[column.type]}{'' if column.nullable else ' not null'}"


def _with_hash(row: Mapping[str, object]) -> dict[str, Any]:
    """Copy a row and add the hash of what it says."""
    return {**row, "content_hash": content_hash(row, ignore=_BOOKKEEPING)}


def _key_of(row: Mapping[str, Any], table: Table) -> tuple[object, ...]:
    """Return a row's key values."""
    return tuple(row[name] for name in table.key)


def _is_news(
    row: Mapping[str, Any],
    known: Mapping[tuple[object, ...], tuple[int, str]],
    table: Table,
) -> bool:
    """Whether the row differs from the newest revision of its key."""
    return bool(known.get(_key_of(row, table), (0, ""))[1] != row["content_hash"])
