"""The lake's files are plain Parquet: every reader people have sees the same rows and types."""

import shutil
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow.dataset as ds
import pytest

from include.freezeline.adapters.lake import Lake, object_hash
from include.freezeline.adapters.object_store import open_store
from include.freezeline.contracts.arrow import arrow_schema
from include.freezeline.contracts.columns import Column, ColumnType, Table
from include.freezeline.contracts.lake import LAKE_TABLES
from include.freezeline.jobs.land import land
from include.freezeline.settings import Settings
from tests.engines.spark import SPARK_PACKAGES
from tests.unit.landing.bucket import EMAIL, spans_json, trace_key

pytestmark = [pytest.mark.integration, pytest.mark.slow]

AS_OF = datetime(2026, 10, 14, tzinfo=UTC)
TABLES = pytest.mark.parametrize("table", LAKE_TABLES, ids=lambda table: table.name)

# The most awkward value of each type: the last microsecond, all digits, an empty list's neighbour.
_INSTANT = datetime(2026, 10, 13, 23, 59, 59, 999_999, tzinfo=UTC)
_AWKWARD: Mapping[ColumnType, Any] = {
    "string": 'Grüße, "\N{SNOWMAN}"\n',
    "json": '{"a": [1, null, "\N{SNOWMAN}"]}',
    "int8": -128,
    "int32": 2**31 - 1,
    "int64": 2**53 + 1,
    "float64": 0.1,
    "bool": True,
    "timestamp": _INSTANT,
    "date": _INSTANT.date(),
    "decimal(18,12)": Decimal("123456.123456789012"),
    "list<string>": ["stop", "länge"],
    "list<int64>": [0, 2**53 + 1],
    "list<float64>": [0.1, 1e300],
}
_SPARK_TYPES: Mapping[ColumnType, str] = {
    "string": "string",
    "json": "string",
    "int8": "tinyint",
    "int32": "int",
    "int64": "bigint",
    "float64": "double",
    "bool": "boolean",
    "timestamp": "timestamp",
    "date": "date",
    "decimal(18,12)": "decimal(18,12)",
    "list<string>": "array<string>",
    "list<int64>": "array<bigint>",
    "list<float64>": "array<double>",
}
_DUCKDB_TYPES: Mapping[ColumnType, str] = {
    **{kind: name.upper() for kind, name in _SPARK_TYPES.items()},
    "string": "VARCHAR",
    "json": "VARCHAR",
    "int32": "INTEGER",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "list<string>": "VARCHAR[]",
    "list<int64>": "BIGINT[]",
    "list<float64>": "DOUBLE[]",
}

Rows = list[tuple[Any, ...]]


def full_row(table: Table) -> dict[str, Any]:
    """Return a row whose every column holds the awkward value of its type."""
    return {column.name: _AWKWARD[column.type] for column in table.columns}


def bare_row(table: Table) -> dict[str, Any]:
    """Return a row that holds only what may not be null."""
    return {c.name: None if c.nullable else _AWKWARD[c.type] for c in table.columns}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """What landing wrote of a small bucket, and the awkward rows in every table."""
    folder = tmp_path_factory.mktemp("formats")
    settings = Settings.model_validate(
        {
            "home": folder / "home",
            "source_uri": (folder / "bucket").as_uri(),
            "pseudonym_key": "test-key",
        }
    )
    store = open_store(str(settings.source_uri), settings)
    for number in range(3):
        store.write_bytes(trace_key(f"{number:03}"), spans_json(5, text=EMAIL, seed=number))
    store.write_bytes(trace_key("broken"), b"broken")
    land(settings, AS_OF)
    landed = Lake(settings.lake_dir)
    for table in LAKE_TABLES:
        for name, row in (("full", full_row(table)), ("bare", bare_row(table))):
            path = landed.path_of(table.name, object_hash(name), _INSTANT.date())
            landed.write_rows(table, [row], path)
    return landed


def plain(value: Any) -> Any:
    """Return a value as what every reader's values can be compared as."""
    if hasattr(value, "tolist") and getattr(value, "shape", None):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return tuple(map(plain, value))
    if value is None or value is pd.NaT or value is pd.NA or value != value:
        return None
    if isinstance(value, datetime):
        return (value - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    return value


def in_order(rows: Iterable[Iterable[Any]]) -> Rows:
    """Return rows as plain tuples in a fixed order."""
    return sorted((tuple(map(plain, row)) for row in rows), key=repr)


def with_arrow(folder: Path, table: Table) -> Rows:
    """Read a table with pyarrow, by the contract's schema."""
    files = ds.dataset(folder, format="parquet", schema=arrow_schema(table))
    return in_order(row.values() for row in files.to_table().to_pylist())


def with_duckdb(folder: Path, table: Table) -> Rows:
    """Read a table with DuckDB, and compare its types with the contract's."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        found = connection.execute(
            "select * from read_parquet(?, hive_partitioning = false, union_by_name = true)",
            [f"{folder}/**/*.parquet"],
        )
        types = {name: str(kind) for name, kind, *_ in found.description or ()}
        assert types == {c.name: _DUCKDB_TYPES[c.type] for c in table.columns}
        return in_order(found.fetchall())


def with_pandas(folder: Path, table: Table) -> Rows:
    """Read a table with pandas; its own types for columns with nulls are Arrow's."""
    frame = pd.read_parquet(folder, dtype_backend="pyarrow")[list(table.column_names)]
    stamps = [c.name for c in table.columns if c.type == "timestamp"]
    assert all(str(frame[name].dtype) == "timestamp[us, tz=UTC][pyarrow]" for name in stamps)
    return in_order(frame.itertuples(index=False, name=None))


def test_tables_hold_what_landing_wrote(lake: Lake) -> None:
    counts = {table.name: len(with_arrow(lake.root / table.name, table)) for table in LAKE_TABLES}
    assert counts["spans"] == 15 + 2
    assert counts["ledger"] == 4 + 2
    assert counts["quarantine"] == 1 + 2
    assert min(counts.values()) >= 2


@TABLES
@pytest.mark.parametrize("read", [with_duckdb, with_pandas])
def test_readers_see_the_same_rows(
    lake: Lake, table: Table, read: Callable[[Path, Table], Rows]
) -> None:
    rows = with_arrow(lake.root / table.name, table)
    assert tuple(map(plain, full_row(table).values())) in rows
    assert tuple(map(plain, bare_row(table).values())) in rows
    assert read(lake.root / table.name, table) == rows


@pytest.mark.engines
def test_spark_sees_the_same_rows(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shutil.which("java"), "needs a Java runtime"
    monkeypatch.syspath_prepend(SPARK_PACKAGES)
    from pyspark.sql import SparkSession  # type: ignore[import-not-found,unused-ignore]

    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    for name in ("spark.driver.host", "spark.driver.bindAddress"):
        builder = builder.config(name, "127.0.0.1")
    spark = builder.config("spark.sql.session.timeZone", "UTC").getOrCreate()
    try:
        for table in LAKE_TABLES:
            folder = lake.root / table.name
            frame = spark.read.option("recursiveFileLookup", "true").parquet(str(folder))
            types = {field.name: field.dataType.simpleString() for field in frame.schema}
            assert types == {c.name: _SPARK_TYPES[c.type] for c in table.columns}
            # Python's Spark shows instants in the machine's zone; their microseconds have none.
            found = frame.selectExpr(*map(_spark_expression, table.columns)).collect()
            assert in_order(found) == with_arrow(folder, table), table.name
    finally:
        spark.stop()


def _spark_expression(column: Column) -> str:
    """Return what to select of a column."""
    return f"unix_micros({column.name})" if column.type == "timestamp" else column.name
