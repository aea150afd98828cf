"""The retention DAG plans by default and deletes nothing until it is told to."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from include.freezeline.adapters.airflow.local_run import airflow_environment
from tests.integration.line import ROOT, LineRun

pytestmark = [pytest.mark.integration, pytest.mark.slow]

# Far enough after the demo's nights that every tier has something to do.
INTERVAL = ("2027-01-01T00:00:00+00:00", "2027-01-02T00:00:00+00:00")


def run_retention(home: Path, conf: dict[str, object]) -> subprocess.CompletedProcess[str]:
    """Run the DAG through Airflow once."""
    return subprocess.run(  # noqa: S603
        [sys.executable, "-m", "include.freezeline.adapters.airflow.local_run", "apply_retention",
         "--interval", *INTERVAL, "--conf", json.dumps(conf)],
        cwd=ROOT,
        env=os.environ | airflow_environment(home / "airflow-retention", ROOT)
        | {"FREEZELINE_HOME": str(home)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def lake_files(home: Path) -> dict[str, int]:
    """Every file of the lake with its size."""
    return {
        str(file.relative_to(home)): file.stat().st_size
        for file in sorted((home / "lake" / "spans").rglob("*.parquet"))
    }


@pytest.fixture
def home(night: LineRun, tmp_path: Path) -> Path:
    """A copy of the demo's home that a test may purge."""
    copy = tmp_path / "home"
    for part in ("lake", "warehouse", "snapshots"):
        shutil.copytree(night.home / part, copy / part)
    return copy


def test_retention_dag_is_a_dry_run_by_default(home: Path) -> None:
    before = lake_files(home)
    assert before
    done = run_retention(home, {})
    assert done.returncode == 0, done.stderr[-3000:]
    assert lake_files(home) == before
    assert list((home / "retention").rglob("*.json")), "the plan is kept"


def test_retention_dag_applies_the_plan_when_asked(home: Path) -> None:
    before = lake_files(home)
    done = run_retention(home, {"apply": True})
    assert done.returncode == 0, done.stderr[-3000:]
    assert lake_files(home) != before
    assert list((home / "retention").rglob("*.jsonl")), "a proof of the purge is written"
