"""Many days from one: a landed lake or a built warehouse, multiplied in DuckDB.

Each copy lies a whole number of days earlier and has ids of its own; everything else is as in the
day that was landed. Texts go when the default policy lets production's go, so a long history
holds texts of its last days only, as it would in use.
"""

import shutil
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

import duckdb

TEXT_DAYS = 60  # include/config/retention.yml, production
MEMORY_LIMIT = "6GB"
# What makes a row one of its own; other keys name people, customers and models that come again.
_IDS = {"trace_id", "request_id", "response_id", "session_key"}
_SHARED_KEYS = {"tenant_key", "user_key"}
_FIXED = ("dim_", "rpt_", "stg_prices", "int_tenants", "int_users", "stg_landing")
_TEXT_TABLES = ("fct_call_texts", "stg_otel__message_texts", "stg_otel__span_texts")
_DAYS_AT_ONCE = 10
Column = tuple[str, str]


class TooLargeError(Exception):
    """A file would not fit where it may lie."""


def grow_lake(base: Path, target: Path, n_days: int) -> None:
    """Write a lake with so many copies of the last day of a lake of one day.

    Args:
        base: The lake of one day.
        target: Folder of the new lake.
        n_days: Days it is to have; a target that has some already gets the others.
    """
    first_copy = _days_in(target)
    if not first_copy:
        shutil.copytree(base, target)
    with _connect(":memory:") as connection:
        for folder in sorted(path for path in base.iterdir() if path.is_dir()):
            _grow_lake_table(connection, folder, target / folder.name, range(first_copy or 1, n_days))  # fmt: skip
    (target / ".days").write_text(str(n_days), encoding="utf-8")


def _days_in(target: Path) -> int:
    """Return how many days a grown lake has."""
    marker = target / ".days"
    return int(marker.read_text(encoding="utf-8")) if marker.exists() else 0


def _grow_lake_table(
    connection: duckdb.DuckDBPyConnection, folder: Path, target: Path, copies: range
) -> None:
    """Write one file of a table for each copy; a table without ids of its own stays as it is."""
    for partition in sorted(folder.glob("dt=*")):
        source = f"read_parquet('{partition}/*.parquet', hive_partitioning = false, union_by_name = true)"  # fmt: skip
        columns = _columns(connection, source)
        if not _IDS & {name for name, _ in columns}:
            return
        day = date.fromisoformat(partition.name.removeprefix("dt="))
        for copy in copies:
            kept = f"select {_shifted(columns, str(copy), has_texts=copy < TEXT_DAYS)} from {source}"  # fmt: skip
            path = target / f"dt={day - timedelta(days=copy)}" / "copy.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            connection.execute(f"copy ({kept}) to '{path}' (format parquet, compression zstd)")


def grow_warehouse(base: Path, target: Path, n_days: int, max_bytes: float = float("inf")) -> None:
    """Write a warehouse file with so many copies of the rows of one that holds one day.

    What grows with the days is multiplied; dimensions and canned questions are not. A warehouse
    that builds the touched days only (it has a schema ``build``) holds no more than a slice of the
    layers below the marts, so these do not grow either.

    Raises:
        TooLargeError: The file grew past ``max_bytes``.
    """
    target.unlink(missing_ok=True)
    with _connect(str(target)) as connection:
        connection.execute(f"attach '{base}' as base (read_only)")
        tables = _tables(connection)
        has_slices = _has_schema(connection, "build")
        for schema, table in tables:
            is_slice = has_slices and table.startswith(("stg_", "int_")) and "int_daily__" not in table  # fmt: skip
            n_copies = 1 if is_slice else _days_of(table, n_days)
            for _ in _grow_table(connection, f"{schema}.{table}", n_copies):
                if target.stat().st_size > max_bytes:
                    message = f"more than {max_bytes / 1e9:.0f} GB at {table}"
                    raise TooLargeError(message)


def _tables(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """Return schema and name of the base's tables."""
    found = connection.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = 'base' "
        "and schema_name <> 'judgement' order by all"
    ).fetchall()
    return [(schema, table) for schema, table in found]


def _has_schema(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Whether the base has a schema, with tables in it or without."""
    found = connection.execute(
        "select 1 from duckdb_schemas() where database_name = 'base' and schema_name = ?", [name]
    ).fetchall()
    return bool(found)


def _days_of(table: str, n_days: int) -> int:
    """Return of how many days a table holds rows."""
    if table.startswith(_FIXED):
        return 1
    return min(n_days, TEXT_DAYS) if table in _TEXT_TABLES else n_days


def _grow_table(connection: duckdb.DuckDBPyConnection, table: str, n_days: int) -> Iterator[None]:
    """Write a table's rows of every copy, the oldest day first, as nights would have.

    Several days go in one insertion: a smaller one than a row group would be written twice, to
    the log and then to the file.
    """
    columns = _columns(connection, f"base.{table}")
    if not any("DATE" in kind or "TIMESTAMP" in kind for _, kind in columns):
        n_days = 1
    connection.execute(f"create schema if not exists {table.split('.')[0]}")
    connection.execute(f"create table {table} as select * from base.{table} limit 0")
    for first in reversed(range(0, n_days, _DAYS_AT_ONCE)):
        copies = reversed(range(first, min(first + _DAYS_AT_ONCE, n_days)))
        selects = (
            f"select {_shifted(columns, str(copy), has_texts=copy < TEXT_DAYS)} from base.{table}"
            for copy in copies
        )
        connection.execute(f"insert into {table} {' union all '.join(selects)}")
        yield


def _shifted(columns: Sequence[Column], copy: str, *, has_texts: bool) -> str:
    """Return the select list of a copy."""
    return ", ".join(_expression(name, kind, copy, has_texts=has_texts) for name, kind in columns)


def _expression(name: str, kind: str, copy: str, *, has_texts: bool) -> str:
    """Return a column of a copy: earlier, with an id of its own, or as it is."""
    column = f'"{name}"'
    if kind == "VARCHAR" and name.endswith("_redacted") and not has_texts:
        return f"cast(null as varchar) as {column}"
    if kind.startswith("TIMESTAMP"):
        return f"{column} - to_days({copy}) as {column}"
    if kind == "DATE":
        return f"{column} - {copy} as {column}"
    is_key = name.endswith("_key") and name not in _SHARED_KEYS
    if kind == "VARCHAR" and (name in _IDS or is_key):
        return f"printf('%06x', {copy}) || substr({column}, 7) as {column}"
    return column


def _columns(connection: duckdb.DuckDBPyConnection, source: str) -> list[Column]:
    """Return names and types of a relation."""
    rows = connection.execute(f"describe select * from {source}").fetchall()
    return [(row[0], row[1]) for row in rows]


def _connect(path: str) -> duckdb.DuckDBPyConnection:
    """Open DuckDB so that copying needs little memory."""
    # New files as the product makes them (adapters/warehouse.py).
    connection = duckdb.connect(path, config={"storage_compatibility_version": "v1.3.0"})
    settings = ("timezone = 'UTC'", f"memory_limit = '{MEMORY_LIMIT}'", "enable_progress_bar = false", "preserve_insertion_order = true")  # fmt: skip
    for setting in settings:
        connection.execute(f"set {setting}")
    return connection
