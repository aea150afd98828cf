"""``slo plan``: what the files would decide on the published night."""

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from include.freezeline.adapters.warehouse import open_warehouse, publish_snapshot
from include.freezeline.cli.main import command
from include.freezeline.jobs.decide import decide
from include.freezeline.settings import Settings
from tests.unit.freeze.worlds import NIGHT_END, START, make_calls, write_calls

CONFIG = Path("include/config")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Return a home with a published night in which the support assistant froze."""
    settings = Settings(home=tmp_path_factory.mktemp("home"))
    write_calls(settings.warehouse_path, make_calls(8_000, with_incident=True), NIGHT_END)
    decide(settings, START, NIGHT_END)
    publish_snapshot(settings, NIGHT_END)
    return settings


def run(home: Path, config: Path, monkeypatch: pytest.MonkeyPatch, *options: str) -> Result:
    """Run the command."""
    monkeypatch.setenv("FREEZELINE_HOME", str(home))
    monkeypatch.setenv("FREEZELINE_CONFIG_DIR", str(config))
    return CliRunner().invoke(command, ["slo", "plan", *options])


def test_plan_changes_nothing_when_files_are_the_published_ones(
    published: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = json.loads(run(published.home, CONFIG, monkeypatch, "--format", "json").stdout)
    assert {item["change"] for item in found["slos"]} == {"same"}
    assert all(before == after for _, before, after in found["flags"])
    assert ["support-assistant (production)", "FROZEN", "FROZEN"] in found["flags"]
    assert found["removed"] == []


def test_plan_counts_no_clean_night_twice(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_calls(settings.warehouse_path, make_calls(8_000, with_incident=False), NIGHT_END)
    day_before = NIGHT_END - timedelta(days=1)
    decide(settings, day_before - timedelta(days=1), day_before)
    one_clean = {"state": "RECOVERING", "since_at": day_before.isoformat(), "n_clean": 1}
    memory = {"memory": {"hard-error-rate": one_clean}, "slos": [], "why": "recovering"}
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        warehouse.execute(
            "update judgement.freeze_flags set state = 'RECOVERING', evaluations_json = "
            f"'{json.dumps(memory)}' where feature = 'code-helper' and environment = 'production'"
        )
    decide(settings, day_before, NIGHT_END)
    publish_snapshot(settings, NIGHT_END)
    found = json.loads(run(settings.home, CONFIG, monkeypatch, "--format", "json").stdout)
    assert ["code-helper (production)", "RECOVERING", "RECOVERING"] in found["flags"]


def test_plan_says_what_another_limit_would_do(
    published: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "config"
    shutil.copytree(CONFIG, folder)
    path = folder / "slos" / "latency-p95.yml"
    path.write_text(path.read_text().replace("10000", "1000"))
    (folder / "slos" / "tpot-p99.yml").unlink()
    result = run(published.home, folder, monkeypatch)
    assert result.exit_code == 0
    assert "changed  code-helper (production) latency-p95: breach" in result.stdout
    assert "removed  tpot-p99: no file defines it" in result.stdout
    with open_warehouse(published.warehouse_path, read_only=True) as warehouse:
        rows = warehouse.rows("select max(revision) as n from judgement.slo_windows")
    assert rows == [{"n": 1}]


def test_plan_names_the_file_whose_sql_does_not_fit(
    published: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "config"
    shutil.copytree(CONFIG, folder)
    path = folder / "slos" / "latency-p95.yml"
    path.write_text(path.read_text().replace("duration_ms >= 10000", "durations >= 10000"))
    result = run(published.home, folder, monkeypatch)
    assert result.exit_code == 1
    assert "slos/latency-p95.yml: spec.indicator: its conditions do not fit" in result.output


def test_plan_says_when_nothing_is_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run(tmp_path, CONFIG, monkeypatch)
    assert result.exit_code == 1
    assert "nothing published yet" in result.output
