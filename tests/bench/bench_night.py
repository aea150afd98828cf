"""A great night: seconds and memory of every stage, Airflow's share, and the same marts in pandas.

``python -m tests.bench.bench_night [--calls N | --quick] [--folder FOLDER]`` writes a bucket with
56 days of a little traffic and one night of N calls, lands and judges the days before outside the
count, and runs the night's ``nightly`` DAG through Airflow in one process. Every job is timed
inside its task (``night_dag``): the run's wall time that no job accounts for is Airflow's. Memory
is what the process and its workers hold together, and what a stage does not give back counts for
the next ones too. Then ``night_pandas`` computes seven of the marts from the same lake; beside it
stands the time in which at least one of the models that these marts need was building, whatever
else was building beside it.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from include.freezeline.adapters.airflow.local_run import airflow_environment
from include.freezeline.adapters.warehouse import latest_snapshot, open_warehouse
from include.freezeline.settings import Settings
from tests.bench.night_traffic import days_before, make_templates, write_bucket, write_segments
from tests.bench.otlp_traffic import ROOT
from tests.bench.processes import Watched, run_watched

WHOLE_CALLS, QUICK_CALLS = 1_000_000, 20_000
HISTORY_DAYS, HISTORY_SHARE = 56, 0.001
NIGHT = date(2026, 10, 13)
GOAL_BYTES = 8e9
JOBS = {
    "land": "land",
    "check_landed": "check",
    "build": "build",
    "check_marts": "check marts",
    "judge": "judge",
    "decide": "decide",
    "publish": "publish",
}
MARTS = (
    "fct_llm_calls", "fct_call_costs", "agg_feature_daily", "agg_calls_hourly", "agg_calls_daily",
    "agg_cost_hourly", "agg_user_cost_daily",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stage:
    """One job of the night, or the whole run.

    Attributes:
        name: Its name.
        wall_s: Seconds.
        cpu_s: CPU seconds; on a busy machine they say more.
        peak_bytes: The most that all processes held meanwhile.
    """

    name: str
    wall_s: float
    cpu_s: float
    peak_bytes: int


def run_night(settings: Settings, start: datetime, as_of: datetime) -> tuple[list[Stage], Watched]:
    """Run the DAG over an interval; return its jobs, then the whole run under the name dag."""
    airflow_home = settings.home / "airflow"
    airflow_home.mkdir(parents=True, exist_ok=True)
    marks = settings.home / f"marks_{as_of:%Y%m%d}.jsonl"
    given = {k: v for k, v in os.environ.items() if not k.startswith(("FREEZELINE_", "AIRFLOW"))}
    environment = given | settings.as_environment() | airflow_environment(airflow_home, ROOT)
    words = [str(marks), "nightly", "--interval", start.isoformat(), as_of.isoformat()]
    watched = run_watched("tests.bench.night_dag", words, environment)
    rows = [json.loads(line) for line in marks.read_text(encoding="utf-8").splitlines()]
    stages = [
        Stage(
            JOBS.get(row["name"], row["name"]),
            row["ended_s"] - row["began_s"],
            row["cpu_s"],
            watched.peak_bytes(row["began_s"], row["ended_s"]),
        )
        for row in rows
    ]
    return stages, watched


def matching_models(target: Path, marts: Sequence[str]) -> set[str]:
    """Return the marts and every model they are built from, by dbt's own manifest."""
    manifest = json.loads((target / "manifest.json").read_text(encoding="utf-8"))
    models = {name for name in manifest["nodes"] if name.startswith("model.")}
    found: set[str] = set()
    waiting = [name for name in models if name.rsplit(".", 1)[-1] in marts]
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting += [each for each in manifest["parent_map"][name] if each in models - found]
    return found


def busy_s(target: Path, names: set[str]) -> float:
    """Return the seconds in which dbt was executing at least one of some nodes."""
    results = json.loads((target / "run_results.json").read_text(encoding="utf-8"))["results"]
    spans = sorted(
        (_moment(timing["started_at"]), _moment(timing["completed_at"]))
        for result in results
        if result["unique_id"] in names
        for timing in result["timing"]
        if timing["name"] == "execute"
    )
    total, reached = 0.0, float("-inf")
    for began, ended in spans:
        total += max(ended - max(began, reached), 0.0)
        reached = max(reached, ended)
    return total


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def run_pandas(settings: Settings, as_of: datetime) -> tuple[dict[str, int], Watched]:
    """Compute the marts with pandas in a process of its own; return their rows."""
    out = settings.home / "pandas.json"
    words = [str(settings.lake_dir), as_of.isoformat(), "--out", str(out)]
    watched = run_watched("tests.bench.night_pandas", words, os.environ)
    rows: dict[str, int] = json.loads(out.read_text(encoding="utf-8"))
    return rows, watched


def report(stages: Sequence[Stage], n_calls: int) -> None:
    """Print what every stage took, and what Airflow added."""
    *jobs, run = stages
    own = (run.wall_s - sum(job.wall_s for job in jobs), run.cpu_s - sum(job.cpu_s for job in jobs))
    print(f"\n{'stage':<14}{'s':>9}{'CPU s':>9}{'calls/s':>10}{'peak MB':>10}")
    for stage in jobs:
        print(_line(stage, n_calls))
    share = own[0] / run.wall_s
    print(f"{'Airflow':<14}{own[0]:>9.1f}{own[1]:>9.1f}{'':>20}  {share:.1%} of the run")
    print(_line(Stage("whole run", run.wall_s, run.cpu_s, run.peak_bytes), n_calls))


def _line(stage: Stage, n_calls: int) -> str:
    """Return a stage as a line of the table."""
    rate = n_calls / stage.wall_s
    return (
        f"{stage.name:<14}{stage.wall_s:>9.1f}{stage.cpu_s:>9.1f}{rate:>10,.0f}"
        f"{stage.peak_bytes / 1e6:>10,.0f}"
    )


def report_sizes(settings: Settings, bucket: Path) -> None:
    """Print what lies on disk."""
    places = {
        "bucket (zstd)": bucket,
        "lake": settings.lake_dir,
        "warehouse": settings.warehouse_path.parent,
    }
    sizes = (f"{name} {folder_bytes(path) / 1e6:,.0f} MB" for name, path in places.items())
    print("on disk: " + ", ".join(sizes))


def folder_bytes(folder: Path) -> int:
    """Return the size of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def compare(settings: Settings, as_of: datetime, build: Stage) -> None:
    """Print the models beside the script."""
    target = settings.home / "dbt" / "target"
    models_s = busy_s(target, matching_models(target, MARTS))
    rows, script = run_pandas(settings, as_of)
    _assert_same_rows(settings, rows)
    print(f"\n{len(MARTS)} marts of the same lake{'s':>21}{'CPU s':>9}{'peak MB':>10}")
    print(f"{'models of these marts and below':<37}{models_s:>9.1f}")
    print(
        _wide_line("whole build with all data tests", build.wall_s, build.cpu_s, build.peak_bytes)
    )
    print(_wide_line("pandas script", script.wall_s, script.cpu_s, script.peak_bytes()))
    print(f"pandas takes {script.wall_s / models_s:.2f} times as long as these models")
    print(f"and {script.cpu_s / build.cpu_s:.2f} times the CPU of the whole build")


def _wide_line(name: str, wall_s: float, cpu_s: float, peak_bytes: int) -> str:
    return f"{name:<37}{wall_s:>9.1f}{cpu_s:>9.1f}{peak_bytes / 1e6:>10,.0f}"


def _assert_same_rows(settings: Settings, rows: Mapping[str, int]) -> None:
    """Two ways that disagree about the number of rows are not worth comparing."""
    with open_warehouse(latest_snapshot(settings), read_only=True) as warehouse:
        for mart, n_rows in rows.items():
            (row,) = warehouse.rows(f"select count(*) as n from marts.{mart}")
            assert row["n"] == n_rows, f"{mart}: {row['n']} rows, pandas has {n_rows}"


def bench(folder: Path, n_calls: int, seed: int) -> float:
    """Make the bucket, run both nights and the script; return the night's peak memory in bytes."""
    bucket, home = folder / "bucket", folder / "home"
    templates = make_templates(folder / "templates", n_calls, seed)
    days = days_before(NIGHT, HISTORY_DAYS, round(n_calls * HISTORY_SHARE))
    write_bucket(bucket, templates, days, tell)
    write_segments(bucket, days[0][0])
    written = write_bucket(bucket, templates, [(NIGHT, n_calls)], tell)
    settings = Settings.model_validate(
        {"home": home, "source_uri": bucket.as_uri(), "pseudonym_key": "bench"}
    )
    first, night = _midnight(days[0][0]), _midnight(NIGHT)
    tell("the days before")
    run_night(settings, first, night)
    tell("the night")
    stages, watched = run_night(settings, night, night + timedelta(days=1))
    report(stages, written)
    print(f"and {watched.wall_s - stages[-1].wall_s:.1f} s to start Python and Airflow")
    report_sizes(settings, bucket)
    build = next(stage for stage in stages if stage.name == "build")
    compare(settings, night + timedelta(days=1), build)
    return stages[-1].peak_bytes


def tell(line: str) -> None:
    """Show progress."""
    print(f"-- {datetime.now(UTC):%H:%M:%S} {line}", flush=True)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


@contextmanager
def _work_folder(given: Path | None) -> Iterator[Path]:
    """Yield the given folder, which is kept, or one that is deleted afterwards."""
    folder = given or Path(tempfile.mkdtemp(prefix="bench_night_"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield folder
    finally:
        if given is None:
            shutil.rmtree(folder)


def main(arguments: list[str]) -> int:
    """Print the tables; fail when the night needs more memory than it may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=WHOLE_CALLS)
    parser.add_argument("--quick", action="store_const", const=QUICK_CALLS, dest="calls")
    parser.add_argument("--folder", type=Path, help="an empty folder to work in, and to keep")
    parser.add_argument("--seed", type=int, default=20_261_013)
    given = parser.parse_args(arguments)
    print(f"{given.calls:,} calls on {os.cpu_count()} cores, seed {given.seed}")
    with _work_folder(given.folder) as folder:
        try:
            peak_bytes = bench(folder.resolve(), given.calls, given.seed)
        except subprocess.CalledProcessError as error:
            print(f"{error.cmd[2]}: exit {error.returncode}; its lines above say why")
            return 1
    is_met = peak_bytes <= GOAL_BYTES
    print(f"peak memory {peak_bytes / 1e9:.1f} GB, goal {GOAL_BYTES / 1e9:.0f} GB: {'met' if is_met else 'missed'}")  # fmt: skip
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
