"""Everything that can be read in a folder, decoded, and the personal data the demo plants."""

import re
import sqlite3
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb

# The shapes of include/freezeline/demo/personal.py. Put together here as there: no line of the
# repository looks like a key.
SHAPES: Mapping[str, re.Pattern[str]] = {
    "e-mail": re.compile(r"[a-z]+\.[a-z]+@example\.(?:com|org|net)"),
    "US phone": re.compile(r"\+1 202-555-01\d\d"),
    "UK phone": re.compile(r"\+44 20 7946 0\d{3}"),
    "card": re.compile(r"(?:4000|4111|5105|5454|3782) \d{4} \d{4} \d{3,4}"),
    "IBAN": re.compile(r"DE\d\d37040044\d{10}"),
    "access key": re.compile("AK" + r"IA[A-Z2-7]{16}"),
    "token": re.compile("gh" + r"p_[A-Za-z0-9]{36}"),
}
# Regular expressions without a fixed start are slow in megabytes; most texts lack this anyway.
_ANCHORS = {"e-mail": "@example.", "IBAN": "37040044"}
_UNSEARCHED_TYPES = ("BOOLEAN", "DATE", "DOUBLE", "TIMESTAMP WITH TIME ZONE")


def find_values(text: str) -> dict[str, set[str]]:
    """Find every value of a planted shape, by kind."""
    return {
        kind: set(shape.findall(text)) if _ANCHORS.get(kind, "") in text else set()
        for kind, shape in SHAPES.items()
    }


def texts_of_bucket(folder: Path) -> Iterator[str]:
    """Yield every object of a bucket, uncompressed; one that broke off as far as it goes."""
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        data = file.read_bytes()
        if file.suffix == ".gz":
            data = zlib.decompressobj(wbits=31).decompress(data)
        yield data.decode("utf-8", "replace")


def texts_of_home(home: Path, *, without: str) -> Iterator[tuple[str, str]]:
    """Yield where and what: databases and Parquet by column, other files as a whole.

    The bytes of Parquet and DuckDB files are yielded too: pages that no query reads any more
    would otherwise go unseen.

    Args:
        home: The folder.
        without: Folder directly under it to leave out.
    """
    files = sorted(path for path in home.rglob("*") if path.is_file())
    # A converted model holds its weights and its vocabulary, and nothing that was landed.
    files = [path for path in files if "embedding_models" not in path.parts]
    kept = [path for path in files if path.relative_to(home).parts[0] != without]
    yield "file names", "\n".join(str(path.relative_to(home)) for path in kept)
    for file in kept:
        where = str(file.relative_to(home))
        yield where, file.read_bytes().decode("utf-8", "replace")
        if file.suffix == ".duckdb":
            yield from _texts_of_duckdb(file, where)
        if file.suffix in {".db", ".sqlite"}:
            yield f"{where} (rows)", _text_of_sqlite(file)
    parquet = (path.parent for path in kept if path.suffix == ".parquet")
    # One query for a table, not one for each of its days.
    for folder in sorted({p.parent if p.name.startswith("dt=") else p for p in parquet}):
        yield from _texts_of_parquet(folder, str(folder.relative_to(home)))


def _texts_of_duckdb(file: Path, where: str) -> Iterator[tuple[str, str]]:
    """Yield the distinct values of every column of every table."""
    with duckdb.connect(str(file), read_only=True) as connection:
        tables = connection.sql(
            "select schema_name, table_name from duckdb_tables() where not internal order by all"
        ).fetchall()
        assert tables, f"{where}: holds no table"
        for schema, table in tables:
            yield from _texts_of_table(connection, f'"{schema}"."{table}"', where)


def _texts_of_parquet(folder: Path, where: str) -> Iterator[tuple[str, str]]:
    """Yield the distinct values of every column of the Parquet files below a folder."""
    with duckdb.connect() as connection:
        files = f"'{folder}/**/*.parquet'"
        source = f"read_parquet({files}, union_by_name = true, hive_partitioning = false)"
        yield from _texts_of_table(connection, source, where)


def _texts_of_table(
    connection: duckdb.DuckDBPyConnection, table: str, where: str
) -> Iterator[tuple[str, str]]:
    """Yield the distinct values of each column that can hold text or digits."""
    described = connection.sql(f"describe from {table}").fetchall()
    columns = [name for name, kind, *_ in described if kind not in _UNSEARCHED_TYPES]
    values = (f'string_agg(distinct "{name}"::varchar, chr(10))' for name in columns)
    row = connection.sql(f"select {', '.join(values)} from {table}").fetchone()
    for name, text in zip(columns, row or (), strict=True):
        yield f"{where} {table}.{name}", text or ""


def _text_of_sqlite(file: Path) -> str:
    """Return every value of a SQLite file, a line each."""
    connection = sqlite3.connect(f"{file.as_uri()}?mode=ro&immutable=1", uri=True)
    tables = connection.execute("select name from sqlite_master where type = 'table'").fetchall()
    values = [
        value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        for (table,) in tables
        for row in connection.execute(f'select * from "{table}"')
        for value in row
    ]
    connection.close()
    return "\n".join(values)
