"""The house rules about layout, imports, clocks and docs; every failure message is the fix."""

import ast
import re
import subprocess
import sys
from pathlib import Path
from statistics import median, quantiles

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "include" / "freezeline"
ALLOWED_TOP = {
    "dags", "dbt_project", "plugins", "tests", "include", "docs", "requirements.txt", "README.md",
    "CHANGELOG.md", "pyproject.toml", "Makefile", ".ci", ".gitignore",
}  # fmt: skip
CLOCK_ALLOWED = {PACKAGE / "cli", PACKAGE / "adapters" / "airflow"}
# The page says how old the published night is at the moment somebody looks at it.
CLOCK_EXCEPTION = ROOT / "plugins" / "freezeline_page" / "plugin.py"
CLOCK = re.compile(
    r"\bdatetime\.(now|utcnow|today)\(|\bdate\.today\(|\btime\.time(_ns)?\(|\bpendulum\.(now|today)\("
)
MEDIAN_FUNCTION_LINES = 12
P90_FUNCTION_LINES = 40
P90_FILE_LINES = 300


def python_files(folder: Path = PACKAGE) -> list[Path]:
    """Every Python file below a folder; an empty answer is a broken test."""
    found = sorted(folder.rglob("*.py"))
    assert found, f"{folder}: no Python files found"
    return found


def tracked_files() -> list[str]:
    """Files git tracks, or every file where there is no git."""
    done = subprocess.run(
        ["git", "ls-files"],  # noqa: S607
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        pytest.skip("not a git checkout")
    return done.stdout.splitlines()


def test_top_level_holds_only_the_agreed_entries() -> None:
    top = {name.split("/")[0] for name in tracked_files()}
    assert top, "nothing is tracked"
    assert top <= ALLOWED_TOP, (
        f"move {sorted(top - ALLOWED_TOP)} under one of {sorted(ALLOWED_TOP)}"
    )


def test_include_and_dbt_project_are_not_packages() -> None:
    for name in ("include", "dbt_project", "dags"):
        file = ROOT / name / "__init__.py"
        assert not file.exists(), f"delete {file.relative_to(ROOT)}: one import name only"


def test_import_contracts_hold() -> None:
    done = subprocess.run(  # noqa: S603
        [str(Path(sys.executable).parent / "lint-imports")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Contracts: 0 kept" not in done.stdout
    assert done.returncode == 0, done.stdout


def clock_readings(file: Path) -> list[str]:
    """Lines of a file that read the wall clock."""
    lines = file.read_text(encoding="utf-8").splitlines()
    where = file.relative_to(ROOT)
    return [f"{where}:{number}" for number, line in enumerate(lines, 1) if CLOCK.search(line)]


@pytest.mark.parametrize(
    "line",
    [
        "now = datetime.now(UTC)", "datetime.utcnow()", "datetime.today()", "date.today()",
        "time.time()", "time.time_ns()", "pendulum.now('UTC')", "dt.datetime.now()",
    ],
)  # fmt: skip
def test_wall_clock_pattern_knows_every_way_to_ask(line: str) -> None:
    assert CLOCK.search(line)
    assert not CLOCK.search("datetime.combine(day, time()); pendulum.datetime(2026, 9, 1)")


def test_wall_clock_is_read_only_in_cli_airflow_adapter_and_page() -> None:
    folders = (PACKAGE, ROOT / "plugins", ROOT / "dags")
    files = [file for folder in folders for file in python_files(folder)]
    allowed = {*CLOCK_ALLOWED, CLOCK_EXCEPTION}
    found = [
        reading
        for file in files
        if not any(file.is_relative_to(place) for place in allowed)
        for reading in clock_readings(file)
    ]
    assert not found, f"take as_of as an argument instead of reading the clock: {found}"
    assert clock_readings(CLOCK_EXCEPTION), "the exception is not needed any more: take it out"


def test_environment_is_read_only_by_settings_cli_and_airflow_adapter() -> None:
    allowed = {*CLOCK_ALLOWED, PACKAGE / "adapters", PACKAGE / "settings.py"}
    allowed |= {PACKAGE / "jobs" / "run_demo.py"}  # hands its environment to Airflow
    found = [
        str(file.relative_to(ROOT))
        for file in python_files()
        if not any(file.is_relative_to(place) for place in allowed)
        and re.search(r"os\.environ|os\.getenv|getenv\(", file.read_text(encoding="utf-8"))
    ]
    assert not found, f"read the value through Settings instead of the environment: {found}"


def test_functions_are_short_and_files_too() -> None:
    lengths, sizes = [], []
    for file in python_files():
        text = file.read_text(encoding="utf-8")
        sizes.append(len(text.splitlines()))
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
                start = node.body[0].end_lineno if ast.get_docstring(node) else node.lineno
                lengths.append(node.end_lineno - (start or node.lineno))
    assert median(lengths) <= MEDIAN_FUNCTION_LINES, "split long functions"
    assert quantiles(lengths, n=10)[8] <= P90_FUNCTION_LINES, "split long functions"
    assert quantiles(sizes, n=10)[8] <= P90_FILE_LINES, "split long files"


def test_commands_are_only_in_cli_and_all_have_help() -> None:
    for file in python_files():
        if "click.command" in file.read_text(encoding="utf-8"):
            assert file.is_relative_to(PACKAGE / "cli"), f"move the command of {file} to cli/"


def test_every_config_file_is_named_in_the_docs() -> None:
    texts = "\n".join(
        page.read_text(encoding="utf-8")
        for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    )
    configs = sorted((ROOT / "include" / "config").glob("*.yml"))
    assert configs
    missing = [file.name for file in configs if file.name not in texts]
    assert not missing, f"describe {missing} in docs/configuration.md"


def test_nothing_committed_names_a_machine_or_a_registry() -> None:
    pattern = re.compile(
        # Classes of one letter: the expression must not hold what it looks for.
        r"(^|[^a-z])/(wor[k]|far[m])/|index-ur[l] *=|/tm[p]/bash_jobs|\"resolve[d]\": *\"http"
    )
    found = []
    for name in tracked_files():
        file = ROOT / name
        if (
            file.suffix in {".png", ".parquet"}
            or not file.is_file()
            or name == str(Path(__file__).resolve().relative_to(ROOT))
        ):
            continue
        text = file.read_text(encoding="utf-8", errors="replace")
        found += [f"{name}: {match.group(0)}" for match in pattern.finditer(text)]
    assert not found, f"take these out: {found}"
