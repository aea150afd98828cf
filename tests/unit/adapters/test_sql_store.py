"""Business facts from a database: a day of a table is an object that lands like any other."""

import shutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
import pytest

from include.freezeline.adapters.lake import Lake
from include.freezeline.adapters.lake_books import LakeBooks
from include.freezeline.adapters.local_store import LocalStore
from include.freezeline.adapters.retry import Retry
from include.freezeline.adapters.routed_store import RoutedStore
from include.freezeline.adapters.sql_store import FactTable, SqlStore
from include.freezeline.config import config_dir
from include.freezeline.errors import ConfigError, StoreError, StoreNotFoundError
from include.freezeline.jobs.land import land
from include.freezeline.landing.horizon import Horizon
from include.freezeline.landing.listing import walk
from include.freezeline.settings import Settings, load_settings
from tests.unit.landing.bucket import spans_json, write

PREFIX = "facts/subscription_tiers/"
TRACES = "otel/dt=2026-10-13/traces.json"
COLUMNS = ("tenant_id", "tier", "valid_from_at", "recorded_at")
ROWS = (
    ("acme", "free", "2026-10-11 08:00:00", "2026-10-11 09:00:00"),
    ("acme", "pro", "2026-10-13 00:00:00", "2026-10-13 09:00:00"),
    ("globex", "free", "2026-10-13 07:00:00", "2026-10-13 23:59:59.999"),
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A company's database with a table of tiers."""
    connection = sqlite3.connect(tmp_path / "crm.db", isolation_level=None)
    connection.execute("create table tiers (id integer primary key, seats int, tenant_id text,"
                       " tier text, valid_from_at timestamp, recorded_at timestamp)")  # fmt: skip
    connection.executemany(f"insert into tiers ({', '.join(COLUMNS)}) values (?, ?, ?, ?)", ROWS)
    yield connection
    connection.close()


@pytest.fixture
def store(database: sqlite3.Connection, tmp_path: Path) -> SqlStore:
    """The table as a store."""
    table = FactTable("crm", "tiers", COLUMNS, "recorded_at")
    return SqlStore(f"sqlite:///{tmp_path / 'crm.db'}", table, PREFIX)


@pytest.fixture
def wired(settings: Settings, tmp_path: Path, database: sqlite3.Connection) -> Settings:
    """Settings under which the packaged fact comes from the database."""
    shutil.copytree(config_dir(settings), tmp_path / "config")
    file = tmp_path / "config" / "facts" / "subscription_tiers.yml"
    text = file.read_text(encoding="utf-8")
    place = "database: {name: crm, table: tiers}\n"
    file.write_text(text.replace("maturity_h", f"{place}maturity_h", 1), encoding="utf-8")
    environ = settings.as_environment() | {
        "FREEZELINE_CONFIG_DIR": str(tmp_path / "config"),
        "FREEZELINE_DATABASES": f'{{"crm": "sqlite:///{tmp_path / "crm.db"}"}}',
    }
    wired = load_settings(environ)
    write(wired, TRACES, spans_json(1))
    return wired


def night(day: int) -> datetime:
    """The midnight that begins a day of the fixture's month."""
    return datetime(2026, 10, day, tzinfo=UTC)


def tiers(settings: Settings) -> list[dict[str, Any]]:
    """What the lake has of the fact."""
    files = [str(file.path) for file in Lake(settings.lake_dir).files("fact_subscription_tiers")]
    rows: list[dict[str, Any]] = ds.dataset(files).to_table().to_pylist() if files else []
    return sorted(rows, key=lambda row: row["recorded_at"])


def test_every_day_with_rows_is_an_object(store: SqlStore) -> None:
    listed = list(store.list_objects())
    keys = [f"{PREFIX}dt=2026-10-{day}/rows.jsonl" for day in (11, 13)]
    assert [item.key for item in listed] == keys
    assert [store.read_bytes(item.key).count(b"\n") for item in listed] == [1, 2]
    assert [item.size_bytes for item in listed] == [len(store.read_bytes(key)) for key in keys]
    assert b"seats" not in store.read_bytes(keys[0]), "columns that the fact does not list stay"
    with pytest.raises(StoreNotFoundError):
        store.read_bytes(f"{PREFIX}dt=2026-10-12/rows.jsonl")


def test_walk_reads_only_the_days_it_needs(store: SqlStore) -> None:
    horizon = Horizon(((date(2026, 10, 13), date(2026, 10, 14)),))
    found = [item.key for item in walk(store, PREFIX, horizon)]
    assert found == [f"{PREFIX}dt=2026-10-13/rows.jsonl"]


def test_tag_changes_with_the_rows_and_not_with_their_order(
    store: SqlStore, database: sqlite3.Connection
) -> None:
    before = {item.key: item.etag for item in store.list_objects()}
    database.execute("create table copy as select * from tiers order by id desc")
    database.execute("drop table tiers")
    database.execute("alter table copy rename to tiers")
    assert {item.key: item.etag for item in store.list_objects()} == before
    database.execute("update tiers set tier = 'enterprise' where tier = 'pro'")
    after = {item.key: item.etag for item in store.list_objects()}
    changed = [key for key in after if after[key] != before[key]]
    assert changed == [f"{PREFIX}dt=2026-10-13/rows.jsonl"]


def test_empty_table_has_no_objects(store: SqlStore, database: sqlite3.Connection) -> None:
    database.execute("delete from tiers")
    assert list(store.list_objects()) == []
    assert store.list_folder(PREFIX).folders == []


def test_row_of_long_ago_does_not_make_every_day_since_a_query(
    store: SqlStore, database: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.execute("update tiers set recorded_at = '1970-01-01 00:00:00' where tier = 'pro'")
    asked: list[date | None] = []
    rows = SqlStore._rows
    monkeypatch.setattr(SqlStore, "_rows", lambda self, day: asked.append(day) or rows(self, day))
    database.execute(
        f"insert into tiers ({', '.join(COLUMNS)}) values ('a', 'b', '', '9999-12-31 00:00:00')"
    )
    assert len(list(store.list_objects(PREFIX))) == 4
    assert asked == [date(1970, 1, 1), date(2026, 10, 11), date(2026, 10, 13), None]


@pytest.mark.parametrize("told", [None, "", "soon"])
def test_rows_of_no_day_are_put_aside_and_counted(
    wired: Settings, database: sqlite3.Connection, told: str | None
) -> None:
    database.execute("update tiers set recorded_at = ? where tier = 'pro'", (told,))
    for as_of in (night(14), night(14), night(15)):
        write(
            wired, f"otel/dt=2026-10-{as_of.day - 1}/traces.json", spans_json(1, day=as_of.day - 1)
        )
        land(wired, as_of, n_workers=1)
        assert [row["tier"] for row in tiers(wired)] == ["free", "free"]
    (aside,) = [row for row in LakeBooks(Lake(wired.lake_dir)).ledger() if row["quarantined_count"]]
    assert aside["source_object"] == f"{PREFIX}undated/rows.jsonl"
    database.execute("update tiers set recorded_at = '2026-10-14 09:00:00' where tier = 'pro'")
    write(wired, "otel/dt=2026-10-15/traces.json", spans_json(1, day=15))
    land(wired, night(16), n_workers=1)
    assert [row["tier"] for row in tiers(wired)] == ["free", "free", "pro"]


def test_table_that_nowhere_says_when_rows_were_recorded_is_refused(
    store: SqlStore, database: sqlite3.Connection
) -> None:
    database.execute("update tiers set recorded_at = null")
    with pytest.raises(StoreError, match="crm:tiers: no row says in recorded_at"):
        list(store.list_objects())


def test_time_that_is_none_is_named_with_its_column(
    store: SqlStore, database: sqlite3.Connection
) -> None:
    database.execute("update tiers set recorded_at = '11/10/2026' where tier = 'pro'")
    with pytest.raises(StoreError, match="crm:tiers: recorded_at holds '11/10/2026'"):
        list(store.list_objects())


def test_database_is_only_read(store: SqlStore) -> None:
    for change in (lambda: store.write_bytes("a", b""), lambda: store.delete("a")):
        with pytest.raises(StoreError, match="only read"):
            change()


@pytest.mark.parametrize(
    ("url", "table", "told"),
    [
        ("sqlite:///{folder}/crm.db", "tires", "no such table: tires"),
        ("sqlite:///{folder}/nowhere/crm.db", "tiers", "unable to open database file"),
        ("nosuchdb://reader:hunter2@db/crm", "tiers", "nosuchdb"),
        ("hunter2", "tiers", "could not parse its URL"),
        # what is special in a password was not encoded
        ("postgresql://reader:a@hunter2@db/crm", "tiers", "could not parse its URL"),
        ("postgresql://reader:a@db/hunter2@db/crm", "tiers", "could not parse its URL"),
        ("postgresql://reader:a@db:hunter2@db/crm", "tiers", "could not parse its URL"),
    ],
)
def test_error_says_where_and_what_but_no_password(
    database: sqlite3.Connection,
    tmp_path: Path,
    url: str,
    table: str,
    told: str,
) -> None:
    place = FactTable("crm", table, COLUMNS, "recorded_at")
    with pytest.raises(StoreError, match=told) as caught:
        list(SqlStore(url.format(folder=tmp_path), place, PREFIX).list_objects())
    assert str(caught.value).startswith(f"crm:{table}: ")
    assert "FREEZELINE_DATABASES" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_rows_land_pseudonymous_and_counted_on_the_night_after_their_day(wired: Settings) -> None:
    summary = land(wired, night(14), n_workers=1)
    rows = tiers(wired)
    assert [row["tier"] for row in rows] == ["free", "pro", "free"]
    assert not [row for row in rows if "acme" in str(row) or "globex" in str(row)]
    assert rows[0]["tenant_key"] == rows[1]["tenant_key"] != rows[2]["tenant_key"]
    assert rows[1]["recorded_at"] == datetime(2026, 10, 13, 9, tzinfo=UTC)
    assert [row["arrived_at"].day for row in rows] == [11, 13, 13]
    assert "subscription_tiers: 2 objects" in "\n".join(summary.lines())
    write(wired, "otel/dt=2026-10-14/traces.json", spans_json(1, day=14, seed=1))
    again = land(wired, night(15), n_workers=1)
    assert "(2 known" in next(line for line in again.lines() if "subscription_tiers" in line)


def test_changed_row_replaces_its_day_and_a_bad_one_is_put_aside(
    wired: Settings, database: sqlite3.Connection
) -> None:
    land(wired, night(14), n_workers=1)
    database.execute("update tiers set tier = 'enterprise' where tier = 'pro'")
    database.execute("update tiers set valid_from_at = 'soon' where tenant_id = 'globex'")
    land(wired, night(14), n_workers=1)
    assert [row["tier"] for row in tiers(wired)] == ["free", "enterprise"]
    (line,) = [
        row
        for row in LakeBooks(Lake(wired.lake_dir)).ledger()
        if row["source_object"] == f"{PREFIX}dt=2026-10-13/rows.jsonl"
    ]
    assert (line["landed_count"], line["quarantined_count"], line["format"]) == (1, 1, "json_lines")


def test_fact_of_a_database_without_a_url_names_file_and_setting(wired: Settings) -> None:
    lost = wired.model_copy(update={"databases": {}})
    with pytest.raises(ConfigError, match=r"subscription_tiers\.yml: database\.name: 'crm'"):
        land(lost, night(14), n_workers=1)


def test_routed_store_shows_both_and_takes_a_prefix_from_the_bucket(
    store: SqlStore, tmp_path: Path
) -> None:
    for key in (f"{PREFIX}dt=2026-10-13/old.csv", "facts/other/dt=2026-10-13/a.csv", "x/a"):
        path = tmp_path / "bucket" / key
        path.parent.mkdir(parents=True)
        path.write_bytes(b"a")
    routed = RoutedStore(LocalStore(tmp_path / "bucket", Retry(None)), {PREFIX: store})  # type: ignore[arg-type]
    keys = [item.key for item in routed.list_objects("facts/")]
    assert sorted(keys) == [
        "facts/other/dt=2026-10-13/a.csv",
        f"{PREFIX}dt=2026-10-11/rows.jsonl",
        f"{PREFIX}dt=2026-10-13/rows.jsonl",
    ]
    assert routed.list_folder("facts/").folders == ["facts/other/", PREFIX]
    assert routed.exists("x/a")
    assert routed.read_bytes(keys[-1]) == store.read_bytes(keys[-1])


def test_setting_of_databases_survives_its_way_to_a_worker_and_hides_passwords() -> None:
    url = "postgresql://reader:hunter2@db/crm"
    settings = load_settings({"FREEZELINE_DATABASES": f'{{"crm": "{url}"}}'})
    assert "hunter2" not in repr(settings)
    assert load_settings(settings.as_environment()) == settings
    assert settings.databases["crm"].get_secret_value() == url
    with pytest.raises(ConfigError, match=r"FREEZELINE_DATABASES: .*JSON object") as caught:
        load_settings({"FREEZELINE_DATABASES": "postgresql://reader:hunter2@db/crm"})
    assert "hunter2" not in str(caught.value)


def test_optional_columns_are_read_where_the_table_has_them(
    store: SqlStore, database: sqlite3.Connection, tmp_path: Path
) -> None:
    table = FactTable("crm", "tiers", COLUMNS, "recorded_at", ("seats", "run_id"))
    other = SqlStore(f"sqlite:///{tmp_path / 'crm.db'}", table, PREFIX)
    key = f"{PREFIX}dt=2026-10-11/rows.jsonl"
    assert b'"seats"' in other.read_bytes(key)
    assert b"run_id" not in other.read_bytes(key)
    gone = SqlStore(f"sqlite:///{tmp_path / 'none.db'}", table, PREFIX)
    with pytest.raises(StoreError, match="cannot be read"):
        gone.read_bytes(key)
