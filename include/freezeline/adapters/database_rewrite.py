"""Write a DuckDB file again without some of its rows.

A deleted row stays in the file's free blocks until they are used again, and a snapshot is never
written to at all. So the rows that stay are copied to a new file, which takes the old one's place
by a rename: a reader that has the old file open keeps it until it closes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from include.freezeline.adapters.warehouse import STORAGE_VERSION

_PARTIAL = ".rewrite"
_NEW = "rewritten"


@dataclass(frozen=True, slots=True)
class TableChange:
    """What to leave out of a table, and what to write differently.

    Attributes:
        drop: Condition of the rows to leave out; None for none.
        replacements: By column, the table ``(old, new)`` of values to replace.
        emptied: By column, the condition of the rows in which it becomes null.
    """

    drop: str | None = None
    replacements: Mapping[str, str] = field(default_factory=dict)
    emptied: Mapping[str, str] = field(default_factory=dict)


def base_tables(connection: duckdb.DuckDBPyConnection, alias: str) -> list[tuple[str, list[str]]]:
    """Return the tables of an attached database, views left out, with their columns."""
    found = connection.execute(
        "select t.schema_name || '.' || t.table_name, list(c.column_name order by c.column_index) "
        "from duckdb_tables() as t inner join duckdb_columns() as c using (table_oid, database_name)"
        " where t.database_name = ? and not t.internal group by all order by 1",
        [alias],
    ).fetchall()
    return [(name, list(columns)) for name, columns in found]


def attach(connection: duckdb.DuckDBPyConnection, path: Path, alias: str) -> None:
    """Attach a database to read from."""
    connection.execute(f"attach {_quoted(path)} as {alias} (read_only)")


def rewrite_attached(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    alias: str,
    changes: Mapping[str, TableChange],
) -> None:
    """Write an attached database again and put the new file in its place.

    Args:
        connection: Where it is attached, and where the tables are that conditions read. The old
            file is detached, and the new one attached under the same name.
        path: Its file.
        alias: Its name.
        changes: What to change, by schema and table.
    """
    partial = path.with_name(path.name + _PARTIAL)
    partial.unlink(missing_ok=True)
    options = f"storage_version '{STORAGE_VERSION}'"
    connection.execute(f"attach {_quoted(partial)} as {_NEW} ({options})")
    try:
        connection.execute(f"copy from database {alias} to {_NEW} (schema)")
        for table, _ in base_tables(connection, alias):
            connection.execute(_copy_sql(table, alias, changes.get(table, TableChange())))
    except BaseException:
        connection.execute(f"detach {_NEW}")
        partial.unlink(missing_ok=True)
        raise
    connection.execute(f"detach {_NEW}")
    connection.execute(f"detach {alias}")
    partial.chmod(path.stat().st_mode)
    partial.replace(path)
    attach(connection, path, alias)


def _copy_sql(table: str, alias: str, change: TableChange) -> str:
    """Return the statement that copies what stays of a table."""
    edits = [
        f"coalesce((select r.new from {pairs} as r where r.old = t.{column}), t.{column}) "
        f"as {column}"
        for column, pairs in sorted(change.replacements.items())
    ]
    edits += [
        f"case when {hit} then null else t.{column} end as {column}"
        for column, hit in sorted(change.emptied.items())
    ]
    chosen = f"t.* replace ({', '.join(edits)})" if edits else "t.*"
    where = f" where not ({change.drop})" if change.drop else ""
    return f"insert into {_NEW}.{table} select {chosen} from {alias}.{table} as t{where}"


def _quoted(path: Path) -> str:
    """Return a path as a SQL string."""
    return "'" + str(path).replace("'", "''") + "'"
