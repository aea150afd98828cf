"""Every command in the README works."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from include.freezeline.settings import load_settings
from tests.integration.line import ROOT, LineRun, freezeline, make

pytestmark = [pytest.mark.integration, pytest.mark.slow]

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
COMMANDS = [line for block in BLOCKS for line in block.splitlines() if line.strip()]
FREEZELINE = ".venv/bin/python -m include.freezeline "
# Statuses that are the answer, not a failure.
EXPECTED_STATUS = {"--feature support-assistant": 3}


def test_readme_has_commands_of_every_kind() -> None:
    assert {command.split()[0] for command in COMMANDS} == {"make", "export", FREEZELINE.split()[0]}


def test_every_make_command_of_the_readme_is_covered_here() -> None:
    assert {c for c in COMMANDS if c.startswith("make ")} == {
        "make demo", "make test", "make help", "make airflow", "make bench", "make lint",
        "make test-long", "make test-shared", "make test-spark",
    }  # fmt: skip


def test_make_help_lists_every_command_of_the_readme() -> None:
    done = make("help")
    assert done.returncode == 0, done.stderr
    listed = {line.split()[0] for line in done.stdout.splitlines()}
    assert {c.split()[1] for c in COMMANDS if c.startswith("make ")} <= listed


def test_make_demo_prints_what_landed_what_froze_and_where_it_is(night: LineRun) -> None:
    printed, home = night.printed, night.home
    sections = ("WHAT LANDED", "VERDICTS for the night before", "FROZEN RELEASES", "WHERE IT IS")
    places = [printed.find(section) for section in sections]
    assert -1 not in places, printed
    assert places == sorted(places)
    landed = printed[places[0] : places[1]]
    assert "objects" in landed
    assert "quarantined" in landed
    verdicts = printed[places[1] : places[2]]
    for feature in ("support-assistant", "risk-summariser", "code-helper"):
        assert f"{feature} (production): " in verdicts
    report = home / "published" / "reports" / "latest" / "freeze_report.html"
    assert report.as_uri() in printed[places[3] :]
    assert report.is_file()


@pytest.mark.long
def test_make_bench_prints_the_table_of_every_bench() -> None:
    done = make("bench", "BENCH_ARGS=--quick")
    assert done.returncode == 0, done.stderr[-3000:]
    benches = {path.name for path in (ROOT / "tests" / "bench").glob("bench_*.py")}
    long = {
        "bench_drift.py",
        "bench_night.py",
        "bench_quiet_series.py",
        "bench_scale.py",
    }  # have a target of their own
    assert long < benches
    for name in benches - long:
        assert f"== tests/bench/{name}" in done.stdout
    assert "highest false freeze ratio" in done.stdout


@pytest.mark.parametrize(
    ("target", "recipe"),
    [
        # test_serve.py runs this module: login, page, a night through the scheduler, clean end.
        ("airflow", ["-m include.freezeline.adapters.airflow.serve"]),
        # `make test` runs lint before it starts these tests, so both are running right now.
        ("lint", ["ruff check", "ruff format --check", "mypy", "sqlfluff lint", "lint-imports"]),
        ("test", ["ruff check", "lint-imports", "-m pytest"]),
        # CI runs these after the suite.
        ("test-long", ["-m pytest -m long"]),
        ("test-shared", ["-m pytest tests/engines/test_shared.py"]),
        ("test-spark", ["-m pytest -m engines tests/engines/test_spark.py"]),
    ],
)
def test_make_target_that_is_run_elsewhere_does_what_is_run_there(
    target: str, recipe: list[str]
) -> None:
    done = make("--dry-run", target)
    assert done.returncode == 0, done.stderr
    places = [done.stdout.find(part) for part in recipe]
    assert -1 not in places, done.stdout
    assert places == sorted(places)


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith(FREEZELINE)])
def test_readme_command_works(night: LineRun, command: str) -> None:
    done = freezeline(night.home, *shlex.split(command.removeprefix(FREEZELINE)))
    expected = next((s for text, s in EXPECTED_STATUS.items() if text in command), 0)
    assert done.returncode == expected, done.stderr
    assert done.stdout.strip()


def test_readme_export_block_gives_settings(tmp_path: Path) -> None:
    (block,) = [block for block in BLOCKS if block.startswith("export ")]
    show = f'"{sys.executable}" -c "import json, os; print(json.dumps(dict(os.environ)))"'
    done = subprocess.run(  # noqa: S603
        ["bash", "-eu", "-c", f"{block}\n{show}"],  # noqa: S607
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    settings = load_settings(json.loads(done.stdout))
    assert settings.source_uri == "s3://my-traces/prod"
    assert settings.s3_endpoint_url == "http://127.0.0.1:7480"
    assert settings.pseudonym_key is not None
    assert re.fullmatch("[0-9a-f]{64}", settings.pseudonym_key.get_secret_value())


def test_readme_links_lead_somewhere() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert links
    missing = [link for link in links if not (ROOT / Path(link)).exists()]
    assert not missing
