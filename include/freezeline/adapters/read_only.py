"""Run a person's query on a snapshot: one statement that reads, its rows as they come.

Opening a file read-only keeps DuckDB from changing it, and from nothing else: a query could still
read any file of the machine, write one with COPY, fetch an extension or see this process's own
variables. All of that is switched off, and locked.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from include.freezeline.adapters.warehouse import open_connection
from include.freezeline.errors import WarehouseError

_READS = frozenset({"SELECT", "EXPLAIN"})
_BATCH_ROWS = 2_000
_LOCKED_SETTINGS = (
    "set python_enable_replacements = false",
    "set autoinstall_known_extensions = false",
    "set autoload_known_extensions = false",
    "set enable_external_access = false",
    "set lock_configuration = true",
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query returns.

    Attributes:
        columns: Names, as the query gives them; two may be equal.
        rows: The rows, read as they are taken; can be gone through once.
    """

    columns: tuple[str, ...]
    rows: Iterator[tuple[object, ...]]


@contextmanager
def open_query(path: Path, sql: str) -> Iterator[Answer]:
    """Run one reading statement on a snapshot.

    A result of any size takes the memory of one batch; what has to be sorted spills to a temporary
    folder, since a reader may not write beside the snapshot.

    Raises:
        WarehouseError: The snapshot cannot be opened, the statement does not read, there is more
            than one, or DuckDB refuses it, now or while its rows are taken.
    """
    with (
        TemporaryDirectory(prefix="freezeline-sql-") as spill_dir,
        open_connection(path, read_only=True) as connection,
    ):
        connection.execute("set temp_directory = $folder", {"folder": spill_dir})
        for setting in _LOCKED_SETTINGS:
            connection.execute(setting)
        try:
            connection.execute(_one_reading_statement(connection, sql))
            columns = tuple(str(column[0]) for column in connection.description or ())
            yield Answer(columns, _rows(connection))
        except duckdb.Error as error:
            message = f"query refused: {error}"
            raise WarehouseError(message) from None


def _rows(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[object, ...]]:
    """Yield the rows, a batch at a time."""
    while batch := connection.fetchmany(_BATCH_ROWS):
        yield from batch


def _one_reading_statement(connection: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    """Return the only statement of a text.

    Raises:
        WarehouseError: It is none, several, or one that does not read.
    """
    found = connection.extract_statements(sql)
    if not found:
        message = 'query refused: nothing to run (write a query, for example "show all tables")'
        raise WarehouseError(message)
    kinds = [statement.type.name for statement in found]
    wrong = [kind for kind in kinds if kind not in _READS]
    if wrong:
        message = (
            f"query refused: {wrong[0]} does not read (the published snapshot is read only: "
            "write a SELECT, DESCRIBE, SUMMARIZE, SHOW or EXPLAIN)"
        )
        raise WarehouseError(message)
    if len(found) > 1:
        message = f"query refused: {len(found)} statements (run them one by one)"
        raise WarehouseError(message)
    return found[0]
