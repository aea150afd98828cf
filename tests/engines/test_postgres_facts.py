"""Business facts from a PostgreSQL server: what it holds lands, what is wrong is told apart."""

import json
import secrets
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
import pytest
import sqlalchemy as sa

from include.freezeline.adapters.lake import Lake
from include.freezeline.config import config_dir
from include.freezeline.errors import StoreError
from include.freezeline.jobs.land import land
from include.freezeline.settings import Settings, load_settings
from tests.engines.ports import free_port
from tests.unit.landing.bucket import content, spans_json, write

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.engines]

TABLE = "sales.client_reports"
FACT = "facts/client_outcomes/"
# A reader's server: neither its clock nor its way to write dates is ours.
SETUP = """
create schema sales;
create table sales.client_reports (
    id bigint generated always as identity primary key, request_id varchar(40),
    observed_at timestamptz, recorded_at timestamptz, client_outcome text,
    client_duration_ms numeric(12, 3), is_retried boolean, refund_usd numeric(20, 12), note text
);
create index on sales.client_reports (recorded_at);
create role reader login password '{password}';
alter role reader set timezone to 'Asia/Kathmandu';
alter role reader set datestyle to 'SQL, DMY';
grant usage on schema sales to reader;
grant select (request_id, observed_at, recorded_at, client_outcome, client_duration_ms, is_retried,
    refund_usd) on sales.client_reports to reader;
"""
INSERT = (
    "insert into sales.client_reports (request_id, observed_at, recorded_at, client_outcome, "
    "client_duration_ms, is_retried, refund_usd, note) values "
)
# Kathmandu is 5:45 ahead: the second row is of the 12th there and of the 11th here.
ROWS = """
('r1', '2026-10-11 08:00:00.25+00', '2026-10-11 09:00:00+00', 'ok', 812.5, true, 0.1, 'not asked for'),
('r2', '2026-10-12 05:00:00+05:45', '2026-10-12 05:30:00+05:45', 'timeout', null, false, null, null),
('r3', '2026-10-13 07:00:00+00', '2026-10-13 23:59:59.999999+00', 'Grüße, "ok"', 1e6, null, -12.000000000001, null)
"""
MORE_COLUMNS = """
  - {name: is_retried, type: bool, role: value, description: Whether the application tried again.}
  - {name: refund_usd, type: decimal, role: value, description: What was given back in US dollars.}
"""


@pytest.fixture
def database(postgres_url: sa.URL) -> Iterator[tuple[sa.Engine, sa.URL]]:
    """A company's table with three rows, and the URL of somebody who may read some columns."""
    password = f"p@ss/{secrets.token_hex(4)}"
    engine = sa.create_engine(postgres_url, poolclass=sa.pool.NullPool)
    for statement in SETUP.format(password=password).split(";"):
        if statement.strip():
            run(engine, statement)
    run(engine, INSERT + ROWS)
    yield engine, postgres_url.set(username="reader", password=password)
    for statement in ("drop schema sales cascade", "drop role reader"):
        run(engine, statement)


@pytest.fixture
def wired(settings: Settings, tmp_path: Path, database: tuple[sa.Engine, sa.URL]) -> Settings:
    """Settings under which the packaged fact, with two columns more, comes from the table."""
    shutil.copytree(config_dir(settings), tmp_path / "config")
    file = tmp_path / "config" / "facts" / "client_outcomes.yml"
    text = file.read_text(encoding="utf-8").rstrip() + MORE_COLUMNS
    place = f"database: {{name: crm, table: {TABLE}}}\n"
    file.write_text(text.replace("maturity_h", f"{place}maturity_h", 1), encoding="utf-8")
    return at_url(settings, tmp_path, database[1])


def at_url(settings: Settings, tmp_path: Path, url: sa.URL) -> Settings:
    """Return the settings with another URL of the database."""
    databases = {"crm": url.render_as_string(hide_password=False)}
    return load_settings(
        settings.as_environment()
        | {
            "FREEZELINE_CONFIG_DIR": str(tmp_path / "config"),
            "FREEZELINE_DATABASES": json.dumps(databases),
        }
    )


def run(engine: sa.Engine, statement: str) -> None:
    """Change the company's database."""
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)


def land_night(settings: Settings, day: int) -> str:
    """Land the night that ends with a day of the month; return what it says of the fact."""
    write(settings, f"otel/dt=2026-10-{day - 1}/t.json", spans_json(1, day=day - 1, seed=day))
    summary = land(settings, datetime(2026, 10, day, tzinfo=UTC), n_workers=1)
    return next(line for line in summary.lines() if "client_outcomes" in line)


def lake_rows(settings: Settings, table: str) -> list[dict[str, Any]]:
    """Return what the lake holds of a table."""
    files = [str(file.path) for file in Lake(settings.lake_dir).files(table)]
    rows: list[dict[str, Any]] = ds.dataset(files).to_table().to_pylist() if files else []
    return rows


def reports(settings: Settings) -> list[tuple[str, str]]:
    """Return request and outcome of every landed row, by the time of recording."""
    rows = sorted(lake_rows(settings, "fact_client_outcomes"), key=lambda row: row["recorded_at"])
    return [(row["request_id"], row["client_outcome"]) for row in rows]


def test_every_type_lands_as_declared_whatever_the_server_prefers(wired: Settings) -> None:
    assert "2 objects" in land_night(wired, 14)
    rows = {row["request_id"]: row for row in lake_rows(wired, "fact_client_outcomes")}
    first, second, third = (rows[name] for name in ("r1", "r2", "r3"))
    assert first["observed_at"] == datetime(2026, 10, 11, 8, 0, 0, 250_000, tzinfo=UTC)
    assert second["recorded_at"] == datetime(2026, 10, 11, 23, 45, tzinfo=UTC)
    assert second["arrived_at"].day == 11
    assert third["recorded_at"] == datetime(2026, 10, 13, 23, 59, 59, 999_999, tzinfo=UTC)
    assert [row["client_duration_ms"] for row in (first, second, third)] == [812.5, None, 1e6]
    assert [row["is_retried"] for row in (first, second, third)] == [True, False, None]
    amounts = [row["refund_usd"] for row in (first, second, third)]
    assert amounts == [Decimal("0.1"), None, Decimal("-12.000000000001")]
    assert third["client_outcome"] == 'Grüße, "ok"'
    assert not lake_rows(wired, "quarantine")


def test_nights_repeat_themselves_and_add_what_is_new(
    wired: Settings, database: tuple[sa.Engine, sa.URL]
) -> None:
    land_night(wired, 13)
    assert reports(wired) == [("r1", "ok"), ("r2", "timeout")]
    land_night(wired, 14)
    before = content(wired)
    assert "0 objects (2 known" in land_night(wired, 14)
    assert content(wired) == before
    # A correction is another row or a changed one; a late row was recorded on a day long landed.
    run(database[0], f"update {TABLE} set client_outcome = 'error' where request_id = 'r1'")
    corrected = (
        "('r3', '2026-10-13 07:00+00', '2026-10-14 08:00+00', 'cancelled', 9, true, null, null)"
    )
    late = "('r4', '2026-10-10 07:00+00', '2026-10-12 08:00+00', 'ok', null, null, null, null)"
    run(database[0], f"{INSERT} {corrected}, {late}")
    assert "3 objects" in land_night(wired, 15)
    assert reports(wired) == [
        ("r1", "error"), ("r2", "timeout"), ("r4", "ok"), ("r3", 'Grüße, "ok"'), ("r3", "cancelled"),
    ]  # fmt: skip
    before = content(wired)
    assert "0 objects" in land_night(wired, 15)
    assert content(wired) == before
    assert not lake_rows(wired, "quarantine")


def test_rows_that_cannot_be_used_are_put_aside_with_the_reason(
    wired: Settings, database: tuple[sa.Engine, sa.URL]
) -> None:
    wrong = {
        "bad_time:observed_at": "('w1', 'infinity', '2026-10-13 08:00+00', 'ok', 1)",
        "bad_number:client_duration_ms": "('w2', now(), '2026-10-13 08:00+00', 'ok', 'NaN')",
        "empty_key:request_id": "(null, now(), '2026-10-13 08:00+00', 'ok', 1)",
        "empty_value:client_outcome": "('w3', now(), '2026-10-13 08:00+00', ' ', 1)",
        "empty_value:recorded_at": "('w4', now(), null, 'ok', 1)",
        "bad_time:recorded_at": "('w5', now(), '-infinity', 'ok', 1), ('w6', now(), '0044-03-15 BC', 'ok', 1)",
    }
    columns = INSERT.replace(", is_retried, refund_usd, note", "")
    run(database[0], columns + ", ".join(wrong.values()))
    for day in (14, 14, 15):
        land_night(wired, day)
        assert reports(wired) == [("r1", "ok"), ("r2", "timeout"), ("r3", 'Grüße, "ok"')]
        aside = [row["reason"] for row in lake_rows(wired, "quarantine")]
        assert sorted(aside) == sorted([*wrong, "bad_time:recorded_at"])
    samples = [row for row in lake_rows(wired, "quarantine") if row["reason"].startswith("empty_k")]
    assert samples[0]["source_object"] == f"{FACT}dt=2026-10-13/rows.jsonl"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("alter table sales.client_reports drop column is_retried", "is_retried"),
        ("revoke select on sales.client_reports from reader", "permission denied"),
        ("alter table sales.client_reports rename to reports", "client_reports"),
        ("alter role reader password 'another'", "password authentication failed"),
    ],
)
def test_database_that_refuses_says_what_and_where(
    wired: Settings, database: tuple[sa.Engine, sa.URL], change: str, told: str
) -> None:
    run(database[0], change)
    with pytest.raises(StoreError, match=told) as caught:
        land_night(wired, 14)
    assert_tells_no_password(caught.value, database[1])


def test_server_that_nobody_answers_for_is_named_without_the_password(
    wired: Settings, tmp_path: Path, database: tuple[sa.Engine, sa.URL]
) -> None:
    lost = at_url(wired, tmp_path, database[1].set(port=free_port()))
    with pytest.raises(StoreError, match="refused") as caught:
        land_night(lost, 14)
    assert_tells_no_password(caught.value, database[1])


def assert_tells_no_password(error: StoreError, url: sa.URL) -> None:
    """Say where it happened and what to check, and nothing secret, whoever prints the chain."""
    shown: BaseException | None = error
    assert str(error).startswith(f"crm:{TABLE}: the database cannot be read: ")
    assert "FREEZELINE_DATABASES" in str(error)
    assert error.__suppress_context__
    while shown is not None:
        for secret in (str(url.password), str(url.password).partition("/")[2]):
            assert secret not in f"{shown}{shown!r}"
        shown = shown.__cause__
