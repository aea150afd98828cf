"""How fast is landing, measured against the bare floor in the same run, and how much memory?

``python -m tests.bench.bench_land [--bytes N | --quick] [--processes N] [--seed N]`` writes OTLP/JSON
with realistic text, then parses it to the same columns as Parquet three times with the same number
of processes: bare (``land_floor``: orjson, columns, pyarrow, nothing else), landed with everything
but redaction, and landed with everything. Processes are started before the clock, since both wait
for their imports once a night; start-up is not part of any number.
"""

import argparse
import multiprocessing
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from include.freezeline.jobs import land_object
from include.freezeline.landing.plan import DueObject, batch_objects
from include.freezeline.settings import Settings
from tests.bench.land_floor import land_bare
from tests.bench.otlp_traffic import write_traffic

WHOLE_BYTES, QUICK_BYTES = 1_000_000_000, 50_000_000
GOAL_RATIO, GOAL_RSS_BYTES = 0.5, 2_000_000_000
AS_OF = datetime(2026, 10, 15, tzinfo=UTC)
ARRIVED_AT = datetime(2026, 10, 13, 10, 59, tzinfo=UTC)
BATCH_BYTES = 16_000_000  # as in a night
POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Run:
    """What one way of landing took."""

    name: str
    n_spans: int
    n_bytes: int
    wall_s: float
    cpu_s: float
    peak_bytes: int

    def line(self) -> str:
        """Return the numbers as a line of the table."""
        mega = self.n_bytes / 1e6
        return (
            f"{self.name:<30} {mega / self.wall_s:>7.1f} MB/s {self.n_spans / self.wall_s:>9,.0f} spans/s "
            f"{1000 * self.cpu_s / mega:>7.1f} ms CPU/MB {self.peak_bytes / 1e6:>7,.0f} MB peak"
        )


class _Unredacted:
    """What a redactor returns that changes nothing."""

    __slots__ = ("text",)
    findings: tuple[Any, ...] = ()
    is_dropped = False

    def __init__(self, text: str) -> None:
        self.text = text


class _NoRedaction:
    """A redaction scope that changes nothing, to see what all the rest costs."""

    def redact_text(self, text: str) -> _Unredacted:
        return _Unredacted(text)

    def redact_json(self, json_text: str) -> _Unredacted:
        return _Unredacted(json_text)


class _AllClean:
    """What a look says that finds nothing."""

    documents: Mapping[int, Any] = {}
    findings: Collection[str] = ()

    def __init__(self, n_fields: int) -> None:
        self.clean = range(n_fields)


def _nothing_to_redact(fields: Sequence[str], *, is_json: bool) -> _AllClean:
    """Look at nothing."""
    return _AllClean(len(fields))


def start_landing(settings: Settings, is_redacted: bool) -> None:
    """Prepare a process that lands."""
    land_object.start_worker(settings, AS_OF)
    tools = land_object._worker_tools
    assert isinstance(tools, land_object.Tools), tools
    if not is_redacted:
        tools.guard.new_scope = _NoRedaction
        tools.guard._texts._look = _nothing_to_redact


def land_some(batch: Sequence[DueObject]) -> int:
    """Land a batch of objects; return how many spans they had."""
    landed = land_object.land_batch_in_worker(batch)
    assert not any(books.ledger["quarantined_count"] for books in landed)
    return sum(int(books.ledger["landed_count"]) for books in landed)


def floor_one(job: tuple[Path, Path]) -> int:
    """Write an object's spans the bare way; return how many there were."""
    return land_bare(*job)


def measure(
    name: str,
    jobs: Sequence[Any],
    work: Callable[[Any], int],
    n_bytes: int,
    n_processes: int,
    start: Callable[..., None] | None = None,
    arguments: tuple[Any, ...] = (),
) -> Run:
    """Run jobs in fresh processes that are ready before the clock starts."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        n_processes, mp_context=context, initializer=start, initargs=arguments
    ) as pool:
        barrier = [pool.submit(time.sleep, 1.0) for _ in range(n_processes)]
        for ready in barrier:
            ready.result()
        list(pool.map(work, jobs[:n_processes]))  # first use loads what is loaded late
        cpu_s = _cpu_s()
        with _peak_memory() as peak:
            began = time.perf_counter()
            n_spans = sum(pool.map(work, jobs))
            wall_s = time.perf_counter() - began
        return Run(name, n_spans, n_bytes, wall_s, _cpu_s() - cpu_s, peak[0])


def _family() -> list[psutil.Process]:
    """Return this process and those below it."""
    own = psutil.Process()
    return [own, *own.children(recursive=True)]


def _cpu_s() -> float:
    """Return the CPU seconds of all processes so far."""
    times = [process.cpu_times() for process in _family()]
    return float(sum(each.user + each.system for each in times))


@contextmanager
def _peak_memory() -> Iterator[list[int]]:
    """Watch the resident memory of all processes together; the one value is its peak."""
    peak, is_over = [0], threading.Event()

    def watch() -> None:
        while not is_over.wait(POLL_S):
            peak[0] = max(peak[0], sum(process.memory_info().rss for process in _family()))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        is_over.set()
        thread.join()


def run_all(folder: Path, n_bytes: int, n_processes: int, seed: int) -> list[Run]:
    """Generate the traffic and land it the three ways."""
    bucket = folder / "bucket"
    paths = write_traffic(bucket, n_bytes, seed)
    size = sum(path.stat().st_size for path in paths)
    floor_jobs = [(path, folder / "floor") for path in paths]
    runs = [measure("bare floor", floor_jobs, floor_one, size, n_processes)]
    due = batch_objects(
        [_due(path, bucket) for path in paths], max_objects=16, max_bytes=BATCH_BYTES
    )
    for name, is_redacted in (("landed without redaction", False), ("landed", True)):
        settings = Settings.model_validate(
            {"home": folder / name.replace(" ", "_"), "source_uri": bucket.as_uri(), "pseudonym_key": "bench"}
        )  # fmt: skip
        arguments = (settings, is_redacted)
        runs.append(measure(name, due, land_some, size, n_processes, start_landing, arguments))
    return runs


def _due(path: Path, bucket: Path) -> DueObject:
    """Describe an object of the bucket as the plan does."""
    return DueObject(
        key=path.relative_to(bucket).as_posix(),
        source_name="traces",
        kind="traces",
        etag="bench",
        size_bytes=path.stat().st_size,
        arrived_at=ARRIVED_AT,
        may_replace=False,
    )


def main(arguments: list[str]) -> int:
    """Print the table; fail when landing needs more memory than it may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bytes", type=int, default=WHOLE_BYTES)
    parser.add_argument("--quick", action="store_const", const=QUICK_BYTES, dest="bytes")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        runs = run_all(Path(folder), options.bytes, options.processes, options.seed)
    print(f"{runs[0].n_bytes / 1e6:,.0f} MB of OTLP/JSON, {options.processes} processes")
    for run in runs:
        print(run.line())
    floor, bare, landed = runs
    assert floor.n_spans == bare.n_spans == landed.n_spans
    print(
        f"ratio to the floor: {floor.wall_s / landed.wall_s:.2f} (goal {GOAL_RATIO:.2f}), ", end=""
    )
    print(f"without redaction {floor.wall_s / bare.wall_s:.2f}")
    is_small = landed.peak_bytes <= GOAL_RSS_BYTES
    print(f"peak memory {landed.peak_bytes / 1e6:,.0f} MB (allowed {GOAL_RSS_BYTES / 1e6:,.0f} MB)")
    return 0 if is_small else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
