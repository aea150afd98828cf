"""Run the whole line as its user does, and look at what was published."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from include.freezeline.adapters.warehouse import open_warehouse
from include.freezeline.jobs.run_demo import NIGHT_END, as_json, read_outcome
from include.freezeline.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
LAST_AS_OF = "2026-10-14"
SMALL = ("--scale", "0.1")


@dataclass(frozen=True, slots=True)
class LineRun:
    """A finished demo.

    Attributes:
        home: Its FREEZELINE_HOME.
        outcome: What ``freezeline demo --json`` prints.
        log: What it showed while it ran.
        printed: What it printed.
    """

    home: Path
    outcome: dict[str, Any]
    log: str
    printed: str

    @property
    def snapshot(self) -> Path:
        """The published database."""
        return Path(self.outcome["snapshot"])

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Query the published snapshot."""
        with open_warehouse(self.snapshot, read_only=True) as warehouse:
            return warehouse.rows(sql)


def freezeline(
    home: Path, *words: str, environ: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``python -m include.freezeline`` with a home of its own."""
    environment = {
        k: v for k, v in os.environ.items() if not k.startswith(("FREEZELINE_", "AIRFLOW"))
    }
    return subprocess.run(  # noqa: S603
        [sys.executable, "-m", "include.freezeline", *words],
        cwd=ROOT,
        env=environment | {"FREEZELINE_HOME": str(home)} | (environ or {}),
        capture_output=True,
        text=True,
        check=False,
    )


def run_line(home: Path, *options: str, environ: dict[str, str] | None = None) -> LineRun:
    """Run the demo to its end."""
    done = freezeline(home, "demo", "--json", *options, environ=environ)
    assert done.returncode == 0, done.stderr[-6000:] + done.stdout[-2000:]
    return LineRun(home, json.loads(done.stdout), done.stderr, done.stdout)


def make_demo(home: Path) -> LineRun:
    """Run the README's `make demo`."""
    done = make("demo", home=home)
    assert done.returncode == 0, done.stderr[-6000:] + done.stdout[-2000:]
    outcome = read_outcome(Settings(home=home), NIGHT_END)
    return LineRun(home, json.loads(as_json(outcome)), done.stderr, done.stdout)


def make(*words: str, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run make as a user would, but without installing anything: this environment is installed."""
    inherited = ("FREEZELINE_", "AIRFLOW", "MAKE", "MFLAGS")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(inherited)}
    installed = ("--assume-old=.venv/.installed", "--assume-old=.venv/.installed-dev")
    return subprocess.run(  # noqa: S603
        ["make", *installed, *words],  # noqa: S607
        cwd=ROOT, capture_output=True, text=True, check=False,
        env=environment | ({"FREEZELINE_HOME": str(home)} if home else {}),
    )  # fmt: skip
