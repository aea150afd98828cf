"""``freezeline sql`` on small snapshots: what it answers, and what it refuses."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from include.freezeline.adapters.read_only import open_query
from include.freezeline.adapters.warehouse import open_warehouse, publish_snapshot
from include.freezeline.cli.main import main
from include.freezeline.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
FIRST, SECOND = datetime(2026, 10, 13, tzinfo=UTC), datetime(2026, 10, 14, tzinfo=UTC)
# Every pair of ten million rows: no machine holds them.
HUGE = "select a.range as a, b.range as b from range(10000000) as a, range(10000000) as b"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with two published nights, of one row and of two."""
    settings = Settings(home=tmp_path / "home")
    for n_rows, night in enumerate((FIRST, SECOND), start=1):
        with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
            warehouse.execute("create schema if not exists marts")
            warehouse.execute(
                "create or replace table marts.calls as select range as call_id, "
                f"0.1::decimal(9, 3) as cost_usd from range({n_rows})"
            )
        publish_snapshot(settings, night)
    monkeypatch.setenv("FREEZELINE_HOME", str(settings.home))
    return settings.home


def ask(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Run the command and return its status, output and errors."""
    status = main(["sql", *words])
    shown = capfd.readouterr()
    return status, shown.out, shown.err


@pytest.mark.usefixtures("home")
def test_a_table_shows_rows_and_their_number(capfd: pytest.CaptureFixture[str]) -> None:
    status, out, _ = ask(capfd, "select call_id, null as note from marts.calls order by call_id")
    assert status == 0
    assert out == "call_id  note\n0        null\n1        null\n(2 rows)\n"


@pytest.mark.usefixtures("home")
def test_a_table_stops_at_its_limit_and_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    _, out, _ = ask(capfd, "from marts.calls", "--limit", "1")
    assert out.splitlines()[2] == "(first 1 rows; --limit or --format csv shows more)"
    assert ask(capfd, "from marts.calls", "--limit", "2")[1].endswith("(2 rows)\n")


@pytest.mark.usefixtures("home")
def test_a_cell_stays_on_one_line_and_on_one_screen(capfd: pytest.CaptureFixture[str]) -> None:
    _, out, _ = ask(capfd, "select 'a' || chr(10) || 'b' as x, repeat('y', 5000) as long")
    assert out.splitlines()[1].startswith("a b")
    assert max(map(len, out.splitlines())) < 120


@pytest.mark.usefixtures("home")
def test_a_night_that_is_kept_can_be_asked(capfd: pytest.CaptureFixture[str]) -> None:
    count = "select count(*) as n from marts.calls"
    assert ask(capfd, count)[1].splitlines()[1] == "2"
    assert ask(capfd, count, "--as-of", "2026-10-13")[1].splitlines()[1] == "1"
    status, _, err = ask(capfd, count, "--as-of", "2026-10-12")
    assert status == 1
    assert "2 are, from 2026-10-13T00:00Z to 2026-10-14T00:00Z" in err
    assert ask(capfd, count, "--as-of", "yesterday")[0] == 2


@pytest.mark.usefixtures("home")
def test_csv_and_json_keep_values_whole(capfd: pytest.CaptureFixture[str]) -> None:
    query = (
        "select 0.10::decimal(9, 2) as cost_usd, 'nan'::double as ratio, null as note, [1, null] "
        "as list, timestamptz '2026-10-13 00:00:00+00' as at, 'ü,\"' as text, date '2026-10-13' as d"
    )
    (row,) = json.loads(ask(capfd, query, "--format", "json")[1])
    assert row == {
        "cost_usd": "0.10", "ratio": None, "note": None, "list": [1, None],
        "at": "2026-10-13T00:00:00+00:00", "text": 'ü,"', "d": "2026-10-13",
    }  # fmt: skip
    (cells,) = csv.DictReader(io.StringIO(ask(capfd, query, "--format", "csv")[1]))
    assert cells["note"] == ""
    assert cells["text"] == 'ü,"'
    assert cells["list"] == "[1, null]"


@pytest.mark.usefixtures("home")
def test_no_rows_are_a_header_and_an_empty_array(capfd: pytest.CaptureFixture[str]) -> None:
    nothing = "select call_id, cost_usd from marts.calls where false"
    assert ask(capfd, nothing, "--format", "csv")[1] == "call_id,cost_usd\n"
    assert json.loads(ask(capfd, nothing, "--format", "json")[1]) == []
    assert ask(capfd, nothing)[1] == "(0 rows)\n"


@pytest.mark.usefixtures("home")
def test_json_refuses_two_columns_of_one_name(capfd: pytest.CaptureFixture[str]) -> None:
    status, out, err = ask(capfd, "select 1 as a, 2 as a", "--format", "json")
    assert (status, out) == (2, "")
    assert "two columns are named 'a'" in err


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("insert into marts.calls values (7, 1)", "INSERT does not read"),
        ("drop table marts.calls", "DROP does not read"),
        ("create temp table mine as select 1", "CREATE does not read"),
        ("attach ':memory:' as other", "ATTACH does not read"),
        ("copy marts.calls to '/tmp/calls.csv'", "COPY does not read"),
        ("set enable_external_access = true", "SET does not read"),
        ("install httpfs", "LOAD does not read"),
        ("checkpoint", "CALL does not read"),
        ("select 1; drop table marts.calls", "DROP does not read"),
        ("select 1; select 2", "2 statements"),
        ("", "nothing to run"),
        ("/* only a comment */", "nothing to run"),
        ("select * from read_text('/etc/hostname')", "file system operations are disabled"),
        ("select * from read_csv('/etc/passwd')", "file system operations are disabled"),
        ("select * from glob('/*')", "file system operations are disabled"),
        ("select * from '/etc/hostname'", "does not exist"),
        ("select * from settings", "Table with name settings does not exist"),
        ("selec 1", 'syntax error at or near "selec"'),
        ("select * from marts.call", 'Did you mean "calls"'),
        ("select cost from marts.calls", 'Candidate bindings: "cost_usd"'),
        # Refused while the rows are taken, not when the query is read.
        ("select cast(x as int) from (select unnest(['1', 'x']) as x)", "Conversion Error"),
    ],
)
def test_what_does_not_read_the_snapshot_is_refused(
    capfd: pytest.CaptureFixture[str], query: str, said: str
) -> None:
    status, _, err = ask(capfd, query)
    assert status == 1
    assert err.startswith("error: query refused: ")
    assert said in err
    assert "Traceback" not in err


def test_one_path_leads_to_the_newest_night(home: Path) -> None:
    settings, link = Settings(home=home), home / "snapshots" / "current.duckdb"
    publish_snapshot(settings, FIRST)  # a backfill
    with open_warehouse(link, read_only=True) as warehouse:
        assert len(warehouse.rows("select * from marts.calls")) == 2
    assert sorted(path.name for path in link.parent.iterdir()) == [
        "as_of=2026-10-13T000000Z.duckdb", "as_of=2026-10-14T000000Z.duckdb", "current.duckdb",
        "current.json",
    ]  # fmt: skip


def test_a_query_changes_no_byte_of_the_snapshot(home: Path) -> None:
    files = {path: path.read_bytes() for path in (home / "snapshots").iterdir()}
    assert main(["sql", "select * from marts.calls order by call_id desc"]) == 0
    assert {path: path.read_bytes() for path in (home / "snapshots").iterdir()} == files


def test_python_variables_are_no_tables(home: Path) -> None:
    path = home / "snapshots" / "as_of=2026-10-14T000000Z.duckdb"
    with pytest.raises(Exception, match="query refused"), open_query(path, "from path") as answer:
        list(answer.rows)


def test_without_a_published_night_the_way_to_one_is_named(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FREEZELINE_HOME", str(tmp_path))
    status, _, err = ask(capfd, "select 1")
    assert status == 1
    assert "nothing published yet (run the nightly DAG, or `make demo`)" in err


@pytest.mark.parametrize("output", ["csv", "json", "table"])
def test_a_reader_that_leaves_early_ends_a_huge_result_quietly(home: Path, output: str) -> None:
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "include.freezeline", "sql", "--format", output, "-"],
        cwd=ROOT, env=os.environ | {"FREEZELINE_HOME": str(home)}, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin
    assert process.stdout
    assert process.stderr
    process.stdin.write(HUGE)
    process.stdin.close()
    assert process.stdout.readline()
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait() in (0, 1)
    assert err == ""


def test_the_documented_python_runs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(home=home.rename(home.with_name(".freezeline")))
    for verdict, night in (("ok", FIRST), ("breach", SECOND)):
        with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
            warehouse.execute(
                "create or replace table marts.agg_feature_daily as select 1 as n_calls"
            )
            warehouse.execute(
                "create or replace table marts.fct_slo_windows as select 'k' as slo_window_key, "
                f"'slow' as slo_name, 'search' as feature, '{verdict}' as verdict"
            )
        publish_snapshot(settings, night)
    monkeypatch.chdir(home.parent)
    page = (ROOT / "docs" / "how-to" / "connect.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    made: dict[str, Any] = {}
    for block in blocks:
        exec(block, made)  # noqa: S102 - our own page
    assert len(made["daily"]) == 1
    assert made["changed"].iloc[0].to_dict() == {
        "slo_name": "slow", "feature": "search", "was": "ok", "is_now": "breach",
    }  # fmt: skip
