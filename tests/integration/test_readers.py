"""Readers while nights are written, snapshots rewritten and purged: no error, no mixed version."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from include.freezeline.adapters.database_rewrite import TableChange, attach, rewrite_attached
from include.freezeline.adapters.snapshots import kept_snapshot, open_snapshot
from include.freezeline.adapters.warehouse import (
    latest_snapshot,
    open_warehouse,
    publish_snapshot,
    snapshot_files,
)
from include.freezeline.cli.sql import command
from include.freezeline.errors import WarehouseError
from include.freezeline.jobs.sql import run_query
from include.freezeline.settings import Settings
from tests.integration.line import ROOT
from tests.unit.reports.sample_night import write_flags

pytestmark = [pytest.mark.integration]

FIRST = datetime(2026, 10, 1, tzinfo=UTC)
N_NIGHTS = 12
N_KEPT = 2
TABLES = ("calls", "days", "verdicts")
# A night's version is the same everywhere in it; anything else is half a night.
VERSIONS_SQL = " union all ".join(f"select min(v), max(v) from marts.{name}" for name in TABLES)

# Each reader is a process of its own, as people's are, and prints what it saw.
READER = """
import json, os, sys, time
from datetime import datetime
from pathlib import Path
home, kind = Path(sys.argv[1]), sys.argv[2]
os.environ["FREEZELINE_HOME"] = str(home)
from include.freezeline.settings import load_settings
settings = load_settings({"FREEZELINE_HOME": str(home)})

def command_line():
    from include.freezeline.jobs.sql import run_query
    with run_query(settings, VERSIONS_SQL) as answer:
        return [value for row in answer.rows for value in row]

def sql_client():
    import duckdb
    pointer = json.loads((home / "snapshots" / "current.json").read_text())
    with duckdb.connect(str(home / "snapshots" / pointer["file"]), read_only=True) as connection:
        found = []
        for _ in range(3):  # a dashboard asks several questions on one connection
            found += [v for row in connection.execute(VERSIONS_SQL).fetchall() for v in row]
    return found

def page():
    from plugins.freezeline_page.plugin import load_state
    state = load_state()
    assert state.status == "published", state.message
    night = (state.report.as_of - datetime.fromisoformat(FIRST)).days
    flags = [item.flag for item in state.report.features if item.flag]
    assert flags
    return [night, *((flag.evaluated_at - datetime.fromisoformat(FIRST)).days for flag in flags)]

ask = {"command_line": command_line, "sql_client": sql_client, "page": page}[kind]
ask()
print("ready", flush=True)
seen, n_asked, errors = set(), 0, []
while True:
    is_last = (home / "stop").exists()
    try:
        versions = ask()
        n_asked += 1
        if len(set(versions)) != 1:
            errors.append(f"mixed: {versions}")
        seen.update(versions)
    except Exception as error:
        errors.append(f"{type(error).__name__}: {error}")
    if is_last:
        break
    time.sleep(0.01)
print(json.dumps({"seen": sorted(seen), "n_asked": n_asked, "errors": errors[:5]}))
"""


def write_version(settings: Settings, night: int) -> datetime:
    """Write a night table by table, each in a transaction of its own, and publish it."""
    as_of = FIRST + timedelta(days=night)
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        warehouse.ensure_judgement_tables()
        warehouse.execute("create schema if not exists marts")
        write_flags(warehouse, as_of)
        for name in TABLES:
            warehouse.execute(
                f"create or replace table marts.{name} as "
                f"select {night} as v, i as person from range(20000) as r(i)"
            )
    publish_snapshot(settings, as_of)
    return as_of


def rewrite(settings: Settings, night: int) -> None:
    """Take a person's rows out of every snapshot, as erasure does, and purge old ones."""
    drop = {f"marts.{name}": TableChange(drop=f"t.person = {night}") for name in TABLES}
    for path in snapshot_files(settings.snapshot_dir):
        with duckdb.connect() as connection:
            attach(connection, path, "s")
            rewrite_attached(connection, path, "s", drop)
    for path in snapshot_files(settings.snapshot_dir)[:-N_KEPT]:
        path.unlink()


def answers(
    settings: Settings, query: str, as_of: datetime | None = None
) -> list[tuple[object, ...]]:
    """Return all rows of a query as people ask it."""
    with run_query(settings, query, as_of) as answer:
        return list(answer.rows)


@pytest.fixture
def readers(settings: Settings) -> Iterator[dict[str, subprocess.Popen[str]]]:
    """A SQL client, the command line and the page, asking again and again."""
    write_version(settings, 0)
    code = READER.replace("VERSIONS_SQL", repr(VERSIONS_SQL)).replace(
        "FIRST", repr(FIRST.isoformat())
    )
    running = {
        kind: subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", code, str(settings.home), kind],
            cwd=ROOT,
            env={**os.environ, "AIRFLOW_HOME": str(settings.home / "airflow")},
            stdout=subprocess.PIPE,
            text=True,
        )
        for kind in ("command_line", "sql_client", "page")
    }
    yield running
    for process in running.values():
        process.kill()
        process.wait()


@pytest.mark.slow
def test_no_reader_fails_or_sees_half_a_night_while_nights_are_written_and_rewritten(
    settings: Settings, readers: dict[str, subprocess.Popen[str]]
) -> None:
    for process in readers.values():
        assert process.stdout is not None
        while process.stdout.readline().strip() != "ready":
            assert process.poll() is None
    for night in range(1, N_NIGHTS + 1):
        write_version(settings, night)
        rewrite(settings, night)
        time.sleep(0.2)
    (settings.home / "stop").touch()
    for kind, process in readers.items():
        output, _ = process.communicate(timeout=120)
        found = json.loads(output.splitlines()[-1])
        assert found["errors"] == [], kind
        assert found["seen"][-1] == N_NIGHTS, f"{kind}: sees the last night"
        assert len(found["seen"]) >= 3, f"{kind}: read while nights came"
        assert found["n_asked"] > N_NIGHTS, kind


def test_kept_night_is_asked_by_its_as_of_and_another_is_named(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for night in (1, 2):
        write_version(settings, night)
    asked = "select distinct v from marts.calls"
    assert answers(settings, asked) == [(2,)]
    assert answers(settings, asked, FIRST + timedelta(days=1)) == [(1,)]
    monkeypatch.setenv("FREEZELINE_HOME", str(settings.home))
    done = CliRunner().invoke(command, [asked, "--as-of", "2026-10-02", "--format", "csv"])
    assert done.output.split() == ["v", "1"]
    with pytest.raises(WarehouseError, match=r"2026-10-09T00:00Z is not kept \(2 are, from"):
        answers(settings, asked, FIRST + timedelta(days=8))


def test_query_changes_nothing_and_touches_no_other_file(
    settings: Settings, tmp_path: Path
) -> None:
    write_version(settings, 1)
    target = tmp_path / "out.csv"
    for query in (
        "delete from marts.calls",
        f"copy marts.calls to '{target}'",
        f"select * from read_text('{settings.snapshot_dir / 'current.json'}')",
        "set enable_external_access = true",
    ):
        with pytest.raises(WarehouseError, match="query refused"):
            answers(settings, query)
    assert not target.exists()


def test_reader_goes_to_the_next_night_when_its_own_is_purged_before_it_is_open(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_version(settings, 1)
    old = latest_snapshot(settings)
    write_version(settings, 2)
    told = iter([old])
    old.unlink()
    new = kept_snapshot(settings, FIRST + timedelta(days=2))
    monkeypatch.setattr(
        "include.freezeline.adapters.snapshots.latest_snapshot", lambda _: next(told, new)
    )
    with open_snapshot(settings) as warehouse:
        assert warehouse.rows("select distinct v from marts.calls") == [{"v": 2}]
