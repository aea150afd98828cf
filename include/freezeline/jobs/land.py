"""Land: bring every due object of the bucket into the lake, once, redacted and counted."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from datetime import datetime
from itertools import islice

from include.freezeline.adapters.lake import Lake
from include.freezeline.config import config_dir
from include.freezeline.errors import EmptyNightError
from include.freezeline.facts.spec import load_fact_specs
from include.freezeline.jobs.land_object import (
    land_batch,
    land_batch_in_worker,
    open_source,
    open_tools,
    start_worker,
)
from include.freezeline.landing.plan import (
    DueObject,
    KnownObject,
    LandingPlan,
    batch_objects,
    plan_landing,
)
from include.freezeline.landing.records import Row
from include.freezeline.landing.sources import (
    Source,
    check_sources,
    listing_prefixes,
    load_sources,
)
from include.freezeline.landing.summary import LandSummary, summarise
from include.freezeline.settings import Settings

Progress = Callable[[str], None]

# A worker holds one batch in memory; 16 MB compressed is some 250 MB as rows.
_BATCH_OBJECTS = 16
_BATCH_BYTES = 16_000_000
# Starting a worker costs as long as landing about this many small objects.
_MIN_OBJECTS_FOR_WORKERS = 64
_PROGRESS_LINES = 10


def land(
    settings: Settings,
    as_of: datetime,
    *,
    progress: Progress | None = None,
    n_workers: int | None = None,
) -> LandSummary:
    """Land what arrived before ``as_of`` and is not in the lake yet.

    Objects may come in any order, twice or late: each is landed once per version, its files are
    named by its key, and landing it again replaces them. A run that is cut off leaves no ledger
    row for the object it was at, so the next run does that object again.

    Args:
        settings: Bucket, lake and pseudonym key.
        as_of: Exclusive end of what is known; later arrivals wait for a later night.
        progress: Called with a line about every tenth of the way.
        n_workers: Processes to use; all cores when not given, none for a few objects.

    Raises:
        ConfigError: A setting or policy file is missing or wrong.
        StoreError: The bucket cannot be used.
        EmptyNightError: An expected source delivered nothing in the night; what the others
            delivered is landed all the same.
    """
    lake = Lake(settings.lake_dir)
    sources = all_sources(settings)
    plan = _plan(settings, lake, sources, as_of)
    rows: list[Row] = []
    if plan.due:
        lake.mark_run(is_running=True)
        rows = _land_all(settings, as_of, plan.due, n_workers, progress)
        lake.mark_run(is_running=False)
    summary = summarise(as_of, plan, rows, [source.name for source in sources])
    _require_delivery(summary, settings)
    return summary


def all_sources(settings: Settings) -> tuple[Source, ...]:
    """Return trace sources and facts, checked against each other."""
    policies = config_dir(settings)
    facts = tuple(
        Source(name=spec.name, kind="fact", prefixes=(spec.prefix,))
        for spec in load_fact_specs(policies)
    )
    sources = (*load_sources(policies), *facts)
    check_sources(sources)
    return sources


def _plan(
    settings: Settings, lake: Lake, sources: Sequence[Source], as_of: datetime
) -> LandingPlan:
    """List the bucket and compare it with the ledger."""
    store = open_source(settings)
    listing = (item for prefix in listing_prefixes(sources) for item in store.list_objects(prefix))
    known = {
        key: KnownObject(row["etag"], row["source_name"], row["arrived_at"])
        for key, row in lake.ledger().items()
    }
    return plan_landing(listing, known, sources, as_of, is_resumed=lake.is_resumed())


def _land_all(
    settings: Settings,
    as_of: datetime,
    due: Sequence[DueObject],
    n_workers: int | None,
    progress: Progress | None,
) -> list[Row]:
    """Land all batches here or in worker processes; ledger rows by key."""
    batches = batch_objects(due, max_objects=_BATCH_OBJECTS, max_bytes=_BATCH_BYTES)
    n_workers = _n_workers(len(due)) if n_workers is None else n_workers
    if n_workers > 1:
        done = _in_workers(settings, as_of, batches, n_workers)
    else:
        tools = open_tools(settings, as_of)
        done = (land_batch(tools, batch) for batch in batches)
    rows: list[Row] = []
    n_said = 0
    for batch_rows in done:
        rows.extend(batch_rows)
        if progress is not None and (len(rows) - n_said) * _PROGRESS_LINES >= len(due):
            progress(f"landing: {len(rows):,} of {len(due):,} objects")
            n_said = len(rows)
    return sorted(rows, key=lambda row: str(row["source_object"]))


def _n_workers(n_objects: int) -> int:
    """Return how many processes are worth it; a daemonic process may not have children."""
    if n_objects < _MIN_OBJECTS_FOR_WORKERS or multiprocessing.current_process().daemon:
        return 1
    return os.cpu_count() or 1


def _in_workers(
    settings: Settings,
    as_of: datetime,
    batches: Sequence[Sequence[DueObject]],
    n_workers: int,
) -> Iterator[list[Row]]:
    """Land batches in fresh processes, few at a time so that failures stop the run soon.

    Processes are spawned, not forked: a fork of a process with threads (Airflow's) can hang.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        n_workers, mp_context=context, initializer=start_worker, initargs=(settings, as_of)
    ) as pool:
        waiting = iter(batches)
        running: set[Future[list[Row]]] = {
            pool.submit(land_batch_in_worker, batch) for batch in islice(waiting, 2 * n_workers)
        }
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            running |= {
                pool.submit(land_batch_in_worker, batch) for batch in islice(waiting, len(done))
            }
            for future in done:
                yield future.result()


def _require_delivery(summary: LandSummary, settings: Settings) -> None:
    """Refuse a night in which an expected source delivered nothing."""
    if summary.silent_sources:
        names = ", ".join(summary.silent_sources)
        message = (
            f"{settings.source_uri}: nothing arrived from {names} in the day before "
            f"{summary.as_of:%Y-%m-%d %H:%M}Z (check the exporter; if it is meant to be silent, "
            f"set expected: false in config/sources.yml); {summary.lines()[0]}"
        )
        raise EmptyNightError(message)
