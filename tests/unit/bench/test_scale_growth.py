"""A multiplied day is many days: nothing collides, nothing else changes."""

from pathlib import Path

import duckdb
import pytest

from tests.bench.scale_growth import TEXT_DAYS, TooLargeError, grow_lake, grow_warehouse

_ROWS = """
    select printf('%032x', n) as trace_id, printf('%016x', n) as span_id, 'acme' as tenant_key,
        timestamptz '2026-10-13 10:00:00Z' + to_seconds(n) as started_at,
        'text ' || n as input_text_redacted, n as input_tokens
    from range(50) as t(n)
"""


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    base = tmp_path / "base"
    for table, sql in {"spans": _ROWS, "price_book": "select 'gpt' as model"}.items():
        folder = base / table / "dt=2026-10-13"
        folder.mkdir(parents=True)
        duckdb.execute(f"copy ({sql}) to '{folder}/a.parquet' (format parquet)")
    return base


def test_a_lake_grows_backwards_and_in_steps(lake: Path, tmp_path: Path) -> None:
    grown = tmp_path / "grown"
    for n_days in (2, TEXT_DAYS + 2):
        grow_lake(lake, grown, n_days)
    spans = f"read_parquet('{grown}/spans/*/*.parquet', hive_partitioning = false)"
    counted = duckdb.sql(
        f"select count(*), count(distinct trace_id), count(distinct cast(started_at as date)), "
        f"sum(input_tokens), count(input_text_redacted), max(started_at) < '2026-10-14' from {spans}"
    ).fetchall()
    n_days = TEXT_DAYS + 2
    assert counted == [(50 * n_days, 50 * n_days, n_days, 1225 * n_days, 50 * TEXT_DAYS, True)]
    assert len(list((grown / "price_book").rglob("*.parquet"))) == 1
    assert (grown / "spans" / "dt=2026-10-12" / "copy.parquet").exists()


@pytest.mark.parametrize("has_slices", [True, False])
def test_a_warehouse_grows_where_days_are_kept(tmp_path: Path, has_slices: bool) -> None:
    base, grown = tmp_path / "base.duckdb", tmp_path / "grown.duckdb"
    with duckdb.connect(str(base)) as connection:
        for schema in ("staging", "marts", *(["build"] if has_slices else [])):
            connection.execute(f"create schema {schema}")
        connection.execute(f"create table staging.stg_otel__spans as {_ROWS}")
        connection.execute(f"create table marts.fct_llm_calls as {_ROWS}")
        connection.execute("create table marts.dim_models as select 'gpt' as model, now() as at")
    grow_warehouse(base, grown, 3)
    with duckdb.connect(str(grown), read_only=True) as connection:
        counts = {
            name: connection.execute(f"select count(*) from {name}").fetchone()[0]  # type: ignore[index]
            for name in ("marts.fct_llm_calls", "staging.stg_otel__spans", "marts.dim_models")
        }
        days = connection.execute(
            "select distinct cast(started_at as date) - date '2026-10-13' from marts.fct_llm_calls order by 1"
        ).fetchall()
    assert counts == {
        "marts.fct_llm_calls": 150,
        "staging.stg_otel__spans": 50 if has_slices else 150,
        "marts.dim_models": 1,
    }
    assert days == [(-2,), (-1,), (0,)]


def test_a_file_that_would_not_fit_is_given_up(tmp_path: Path) -> None:
    base = tmp_path / "base.duckdb"
    with duckdb.connect(str(base)) as connection:
        connection.execute("create schema marts")
        connection.execute(f"create table marts.fct_llm_calls as {_ROWS}")
    with pytest.raises(TooLargeError, match="more than 0 GB at fct_llm_calls"):
        grow_warehouse(base, tmp_path / "grown.duckdb", 3, max_bytes=1.0)
