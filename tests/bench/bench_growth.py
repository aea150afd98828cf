"""Does a night cost what arrived, or what is stored? The same night on a short and a long history.

``python -m tests.bench.bench_growth [--quick] [--calls N] [--days N] [--turns N]`` writes eight days of
a lake, builds the warehouse of seven of them, and makes another of it whose tables, links and lake
folders go on for a year: copies of a built day with other dates and ids. Then both build the night
of the eighth day, in turns because machines are noisy, each in a process of its own on a fresh copy
of its warehouse. The build is planning, every model, every data test and the record; beside it are
the check of the marts and publishing, which copies the warehouse.
"""

import argparse
import multiprocessing
import os
import resource
import shutil
import statistics
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from include.freezeline.adapters.built_state import BuiltState, PartitionFiles
from include.freezeline.adapters.dbt import load_manifest
from include.freezeline.adapters.lake_scan import Partition, scan_files, scan_partitions
from include.freezeline.adapters.warehouse import Warehouse, open_warehouse, publish_snapshot
from include.freezeline.jobs import build as build_job
from include.freezeline.jobs.build_plan import PlannedBuild
from include.freezeline.jobs.check import check_marts
from include.freezeline.settings import Settings
from tests.bench.growth_lake import FIRST_DAY, GrowthLake

N_BUILT = 7
COPIED = 3  # a day in the middle, with everything that comes late to it
REWRITTEN = 5  # days that a night touches
GOAL_RATIO = 1.2
MEMORY_LIMIT = "4GB"  # for writing the history; it spills to disk beyond
_MODELS = ("stg_", "int_", "fct_", "agg_", "dim_", "rpt_")
STAGES = ("plan", "build", "build cpu", "tests", "check", "publish")
AS_OF = FIRST_DAY + timedelta(days=N_BUILT + 1)
_SHARED_KEYS = frozenset({"tenant_key", "user_key"})
_IDS = frozenset({"trace_id", "span_id", "request_id", "response_id", "parent_span_id",
                  "tool_call_id", "source_object"})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Night:
    """What a night took.

    Attributes:
        seconds: By stage.
        n_rows: Rows it wrote into the tables that keep their days.
        n_spans: Spans it read.
        n_days: Days of calls it touched.
        peak_bytes: Largest resident size.
        file_bytes: Size of the warehouse.
    """

    seconds: dict[str, float]
    n_rows: int
    n_spans: int
    n_days: int | None
    peak_bytes: int
    file_bytes: int


def daily_relations(settings: Settings) -> dict[str, str]:
    """Return the tables that keep their days, with the SQL of a row's day."""
    nodes = load_manifest(settings)["nodes"].values()
    return {
        f"{node['schema']}.{node['name']}": node["config"]["meta"]["day"]
        for node in nodes
        if node["resource_type"] == "model" and node["config"]["materialized"] == "by_day"
    }


def prepare(root: Path, n_calls: int, n_days: int) -> dict[str, Settings]:
    """Make both histories and return their settings."""
    short, long = Settings(home=root / "short"), Settings(home=root / "long")
    lake = GrowthLake(short, n_calls)
    for number in range(N_BUILT):
        lake.arrive(number)
    started = time.perf_counter()
    build_job.build(short, AS_OF - timedelta(days=1), has_tests=False)
    print(f"built {N_BUILT} days at once in {time.perf_counter() - started:.0f} s", flush=True)
    _link_tree(short.lake_dir, long.lake_dir)
    long.warehouse_path.parent.mkdir(parents=True)
    shutil.copyfile(short.warehouse_path, long.warehouse_path)
    relations = {**daily_relations(short), "build.links": "day"}
    with open_warehouse(long.warehouse_path, read_only=False) as warehouse:
        _lengthen(warehouse, relations, n_days - N_BUILT)
        _lengthen_lake(long.lake_dir, n_days - N_BUILT)
        _note_lake(warehouse, long.lake_dir)
        _settle(warehouse, relations)
    with open_warehouse(short.warehouse_path, read_only=False) as warehouse:
        _settle(warehouse, relations)
        _note_lake(warehouse, short.lake_dir)
    before = {path for path in short.lake_dir.rglob("*") if path.is_file()}
    lake.arrive(N_BUILT)
    for path in {path for path in short.lake_dir.rglob("*") if path.is_file()} - before:
        _link(path, long.lake_dir / path.relative_to(short.lake_dir))
    for settings in (short, long):
        shutil.move(settings.warehouse_path, settings.home / "before.duckdb")
    return {f"{N_BUILT} days": short, f"{n_days} days": long}


def _lengthen(warehouse: Warehouse, relations: dict[str, str], n_days: int) -> None:
    """Put copies of one day before the first, ever more days at a time."""
    day = (FIRST_DAY + timedelta(days=COPIED)).date()
    warehouse.execute(f"set memory_limit = '{MEMORY_LIMIT}'")
    for name, day_sql in relations.items():
        columns = warehouse.rows(f"describe {name}")
        source = f"select * from {name} where {day_sql} = date '{day}'"
        warehouse.execute(f"create or replace temp table one_day as {source}")
        _copy_days(warehouse, "one_day", "history", columns, COPIED + 1)
        done = 1
        while done < n_days:
            more = min(done, n_days - done)
            chosen = "history" if more == done else (
                f"(select * from history where {day_sql} >= date '{FIRST_DAY.date()}' - {more})"
            )  # fmt: skip
            _copy_days(warehouse, chosen, "more_history", columns, done)
            warehouse.execute("insert into history select * from more_history")
            done += more
        warehouse.execute(f"insert into {name} select * from history")
        for made in ("one_day", "history", "more_history"):
            warehouse.execute(f"drop table if exists temp.{made}")
        print(f"  {name}", flush=True)
    warehouse.execute("checkpoint")


def _settle(warehouse: Warehouse, relations: dict[str, str]) -> None:
    """Write the last days again, as the night before did.

    A history that is written at once leaves half-empty row groups, and the first deletion makes
    DuckDB merge all of them, once; in use that happens bit by bit, night by night.
    """
    since = (FIRST_DAY + timedelta(days=N_BUILT - REWRITTEN)).date()
    for name, day_sql in relations.items():
        chosen = f"from {name} where {day_sql} >= date '{since}'"
        warehouse.execute(f"create or replace temp table last_days as select * {chosen}")
        warehouse.execute(f"delete {chosen}")
        warehouse.execute(f"insert into {name} select * from last_days")
        warehouse.execute("checkpoint")
    warehouse.execute("drop table temp.last_days")


def _copy_days(
    warehouse: Warehouse, source: str, target: str, columns: list[dict[str, Any]], shift: int
) -> None:
    """Copy rows to so many days earlier, under other ids."""
    edits = ", ".join(
        f"{sql} as {column['column_name']}"
        for column in columns
        if (sql := _moved(column["column_name"], column["column_type"], shift))
    )
    chosen = f"* replace ({edits})" if edits else "*"
    warehouse.execute(f"create or replace temp table {target} as select {chosen} from {source}")


def _moved(name: str, kind: str, shift: int) -> str | None:
    """Return a column's value in a copy; None when it stays."""
    if kind == "DATE":
        return f"{name} - {shift}"
    if kind.startswith("TIMESTAMP"):
        return f"{name} - interval {shift} day"
    if name.endswith("_hash") and kind == "UBIGINT":
        return f"case when {name} is not null then hash({name}, {shift}) end"
    is_own = (name.endswith("_key") and name not in _SHARED_KEYS) or name in _IDS
    return f"left(md5({name} || '{shift}'), length({name}))" if is_own else None


def _link_tree(source: Path, target: Path) -> None:
    """Make a second folder of the same files."""
    shutil.copytree(source, target, copy_function=os.link)


def _link(path: Path, target: Path) -> None:
    """Put a file at a second place, as an arrival does."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    os.link(path, target)


def _lengthen_lake(root: Path, n_days: int) -> None:
    """Give the lake folders of the days before; nothing may have to read them."""
    copied = FIRST_DAY + timedelta(days=COPIED)
    for folder in sorted(root.glob(f"*/dt={copied:%Y-%m-%d}")):
        for number in range(1, n_days + 1):
            day = FIRST_DAY - timedelta(days=number)
            _link_tree(folder, folder.with_name(f"dt={day:%Y-%m-%d}"))


def _note_lake(warehouse: Warehouse, root: Path) -> None:
    """Record the lake as built from, as a build does in the end."""
    tables = [path.name for path in root.iterdir() if path.is_dir()]
    BuiltState(warehouse).note_partitions(
        PartitionFiles(Partition(each.table, each.day), stamp, scan_files(root, each))
        for each, stamp in scan_partitions(root, tables).items()
    )


def run_night(home: str) -> Night:
    """Build, check and publish the night on a fresh copy of a warehouse; runs in its own process."""
    settings, seconds = Settings(home=Path(home)), dict[str, float]()
    shutil.copyfile(settings.home / "before.duckdb", settings.warehouse_path)
    plan, plans = build_job.plan_build, list[PlannedBuild]()

    def timed_plan(*arguments: Any, **options: Any) -> PlannedBuild:
        started = time.perf_counter()
        plans.append(plan(*arguments, **options))
        seconds["plan"] = time.perf_counter() - started
        return plans[-1]

    build_job.plan_build = timed_plan  # type: ignore[assignment]
    started, cpu = time.perf_counter(), time.process_time()
    done = build_job.build(settings, AS_OF)
    seconds |= {"build": time.perf_counter() - started, "build cpu": time.process_time() - cpu}
    tests = (s for node, s in done.seconds_by_node.items() if not node.startswith(_MODELS))
    seconds["tests"] = sum(tests)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    for stage, work in (("check", check_marts), ("publish", publish_snapshot)):
        started = time.perf_counter()
        work(settings, AS_OF)
        seconds[stage] = time.perf_counter() - started
    n_rows, n_spans = _count(settings, plans[-1])
    shutil.rmtree(settings.snapshot_dir)
    size = settings.warehouse_path.stat().st_size
    return Night(seconds, n_rows, n_spans, done.n_touched_days, peak, size)


def _count(settings: Settings, planned: PlannedBuild) -> tuple[int, int]:
    """Count the rows that a night wrote by day, and the spans that it read."""
    days = planned.slice.touched["event"] if planned.slice else []
    chosen = ", ".join(f"date '{day}'" for day in days) or "null"
    with open_warehouse(settings.warehouse_path, read_only=True) as warehouse:
        spans = warehouse.rows("select count(*) as n from staging.stg_otel__spans")[0]["n"]
        counts = (
            warehouse.rows(f"select count(*) as n from {name} where {day} in ({chosen})")[0]["n"]
            for name, day in daily_relations(settings).items()
        )
        return sum(counts), spans


def measure(histories: dict[str, Settings], n_turns: int) -> dict[str, list[Night]]:
    """Run the night on both histories in turns, each in a new process."""
    nights: dict[str, list[Night]] = {name: [] for name in histories}
    context = multiprocessing.get_context("spawn")
    for turn in range(n_turns):
        for name in sorted(histories, reverse=bool(turn % 2)):
            with ProcessPoolExecutor(1, mp_context=context) as pool:
                nights[name].append(pool.submit(run_night, str(histories[name].home)).result())
            last = nights[name][-1]
            shown = ", ".join(f"{stage} {last.seconds[stage]:.1f}" for stage in STAGES)
            print(f"turn {turn + 1}, {name}: {shown} s", flush=True)
    return nights


def show(nights: dict[str, list[Night]]) -> float:
    """Print the medians and their ratios; return that of the build."""
    short, long = nights
    print(f"\n{'':<22}{short:>14}{long:>14}{'ratio':>9}")
    for stage in STAGES:
        one, other = (statistics.median(n.seconds[stage] for n in nights[name]) for name in nights)
        print(f"{stage + ' s':<22}{one:>14.1f}{other:>14.1f}{other / one:>9.2f}")
    for label, name, scale in (
        ("days touched", "n_days", 1), ("rows written by day", "n_rows", 1),
        ("spans read", "n_spans", 1), ("peak memory MB", "peak_bytes", 1e6),
        ("warehouse MB", "file_bytes", 1e6),
    ):  # fmt: skip
        one, other = (max(getattr(n, name) or 0 for n in nights[each]) / scale for each in nights)
        print(f"{label:<22}{one:>14,.0f}{other:>14,.0f}{other / max(one, 1):>9.2f}")
    pairs = zip(nights[short], nights[long], strict=True)
    return statistics.median(b.seconds["build"] / a.seconds["build"] for a, b in pairs)


def main(words: list[str]) -> int:
    """Print what a night costs after a week and after a year."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="2,000 calls a day, 60 days, one turn")
    parser.add_argument("--calls", type=int, help="calls a day; 20,000 unless quick")
    parser.add_argument("--days", type=int, help="days of the long history; 365 unless quick")
    parser.add_argument("--turns", type=int, help="nights on each history; 3 unless quick")
    chosen = parser.parse_args(words)
    n_calls = chosen.calls or (2_000 if chosen.quick else 20_000)
    n_days = chosen.days or (60 if chosen.quick else 365)
    n_turns = chosen.turns or (1 if chosen.quick else 3)
    with tempfile.TemporaryDirectory(prefix="bench_growth") as folder:
        print(f"{n_calls:,} calls a day; writing a history of {N_BUILT} days and one of {n_days}")
        ratio = show(measure(prepare(Path(folder), n_calls, n_days), n_turns))
    verdict = "holds" if ratio <= GOAL_RATIO else "does not hold"
    print(
        f"\nbuild after {n_days} days against {N_BUILT}: {ratio:.2f}x; at most {GOAL_RATIO} {verdict}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
