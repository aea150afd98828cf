"""How fast is landing, measured against the bare floor in the same run, and how much memory?

``python -m tests.bench.bench_land [--bytes N | --quick] [--processes N] [--seed N]`` writes OTLP/JSON
with realistic text, then parses it to the same columns as Parquet three ways with the same number
of processes: bare (``land_floor``: orjson, columns, pyarrow, nothing else), landed with everything
but redaction, and landed with everything. The three take turns, some objects at a time, because
machines are noisy: a ratio is the median over the turns, and no way is measured at another hour
than the others. Processes are started before the clock, since they wait for their imports once a
night, and each lands one object that is not counted; start-up is not part of any number.
"""

import argparse
import multiprocessing
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from include.freezeline.jobs import land_object
from include.freezeline.landing.plan import DueObject
from include.freezeline.settings import Settings
from tests.bench.land_floor import land_bare
from tests.bench.otlp_traffic import OBJECT_BYTES, write_traffic

WHOLE_BYTES, QUICK_BYTES = 1_000_000_000, 50_000_000
GOAL_RATIO, GOAL_RSS_BYTES = 0.5, 2_000_000_000
AS_OF = datetime(2026, 10, 15, tzinfo=UTC)
ARRIVED_AT = datetime(2026, 10, 13, 10, 59, tzinfo=UTC)
BATCH_OBJECTS = 4  # 16 MB, as in a night
POLL_S = 0.05


class Way:
    """One way of landing in processes of its own, and what it took so far."""

    def __init__(
        self,
        name: str,
        work: Callable[[Any], int],
        n_processes: int,
        start: Callable[..., None] | None = None,
        arguments: tuple[Any, ...] = (),
    ) -> None:
        self.name, self._work = name, work
        self.n_spans = self.n_bytes = self.peak_bytes = 0
        self.cpu_s = 0.0
        self.walls_s: list[float] = []
        self._pool = ProcessPoolExecutor(
            n_processes,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=start,
            initargs=arguments,
        )
        waits = [self._pool.submit(time.sleep, 1.0) for _ in range(n_processes)]
        for wait in waits:
            wait.result()
        self._processes = [psutil.Process(pid) for pid in self._pool._processes]

    def warm_up(self, jobs: Sequence[Any]) -> None:
        """Do jobs that are not counted, about one per process: first use loads what is loaded late."""
        list(self._pool.map(self._work, jobs))

    def turn(self, jobs: Sequence[Any], n_bytes: int) -> None:
        """Do some jobs and count them."""
        cpu_s = self._cpu_s()
        with _peak_memory(self._processes) as peak:
            began = time.perf_counter()
            self.n_spans += sum(self._pool.map(self._work, jobs))
            self.walls_s.append(time.perf_counter() - began)
        self.cpu_s += self._cpu_s() - cpu_s
        self.n_bytes += n_bytes
        self.peak_bytes = max(self.peak_bytes, peak[0])

    def close(self) -> None:
        """End the processes."""
        self._pool.shutdown()

    def line(self) -> str:
        """Return the numbers as a line of the table."""
        mega, wall_s = self.n_bytes / 1e6, sum(self.walls_s)
        return (
            f"{self.name:<30} {mega / wall_s:>7.1f} MB/s {self.n_spans / wall_s:>9,.0f} spans/s "
            f"{1000 * self.cpu_s / mega:>7.1f} ms CPU/MB {self.peak_bytes / 1e6:>7,.0f} MB peak"
        )

    def ratio_to(self, floor: "Way") -> float:
        """Return the median over the turns of how fast this is beside the floor."""
        turns = zip(floor.walls_s, self.walls_s, strict=True)
        return statistics.median(bare_s / own_s for bare_s, own_s in turns)

    def _cpu_s(self) -> float:
        """Return the CPU seconds of the processes so far."""
        times = [process.cpu_times() for process in self._processes]
        return float(sum(each.user + each.system for each in times))


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


def floor_some(batch: Sequence[tuple[Path, Path]]) -> int:
    """Write objects' rows the bare way; return how many spans there were."""
    return sum(land_bare(*job) for job in batch)


@contextmanager
def _peak_memory(processes: Sequence[psutil.Process]) -> Iterator[list[int]]:
    """Watch the resident memory of processes together; the one value is its peak."""
    peak, is_over = [0], threading.Event()

    def watch() -> None:
        while not is_over.wait(POLL_S):
            peak[0] = max(peak[0], sum(process.memory_info().rss for process in processes))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        is_over.set()
        thread.join()


def run_all(folder: Path, n_bytes: int, n_processes: int, seed: int) -> list[Way]:
    """Generate the traffic and land it the three ways, in turns."""
    bucket = folder / "bucket"
    paths = write_traffic(bucket, n_bytes + n_processes * OBJECT_BYTES, seed)
    ways = [Way("bare floor", floor_some, n_processes)]
    for name, is_redacted in (("landed without redaction", False), ("landed", True)):
        settings = Settings.model_validate(
            {"home": folder / name.replace(" ", "_"), "source_uri": bucket.as_uri(), "pseudonym_key": "bench"}
        )  # fmt: skip
        ways.append(Way(name, land_some, n_processes, start_landing, (settings, is_redacted)))

    def batches(of: Sequence[Path], way: Way) -> list[list[Any]]:
        jobs = [(path, folder / "floor") if way is ways[0] else _due(path, bucket) for path in of]
        return [jobs[n : n + BATCH_OBJECTS] for n in range(0, len(jobs), BATCH_OBJECTS)]

    for way in ways:
        way.warm_up([batch for path in paths[:n_processes] for batch in batches([path], way)])
    per_turn = BATCH_OBJECTS * n_processes
    for low in range(n_processes, len(paths), per_turn):
        taken = paths[low : low + per_turn]
        for way in ways:
            way.turn(batches(taken, way), sum(path.stat().st_size for path in taken))
    for way in ways:
        way.close()
    return ways


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
    floor, bare, landed = runs
    print(f"{floor.n_bytes / 1e6:,.0f} MB of OTLP/JSON, {options.processes} processes")
    for run in runs:
        print(run.line())
    assert floor.n_spans == bare.n_spans == landed.n_spans
    ratio, bare_ratio = landed.ratio_to(floor), bare.ratio_to(floor)
    print(f"ratio to the floor: {ratio:.2f} (goal {GOAL_RATIO:.2f}), ", end="")
    print(f"without redaction {bare_ratio:.2f}; medians of {len(floor.walls_s)} turns")
    is_small = landed.peak_bytes <= GOAL_RSS_BYTES
    print(f"peak memory {landed.peak_bytes / 1e6:,.0f} MB (allowed {GOAL_RSS_BYTES / 1e6:,.0f} MB)")
    return 0 if is_small else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
