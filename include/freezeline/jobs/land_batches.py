"""Land objects batch by batch, here or in worker processes."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from datetime import datetime
from itertools import islice

from include.freezeline.jobs.land_object import (
    land_batch,
    land_batch_in_worker,
    open_tools,
    start_worker,
)
from include.freezeline.landing.books import ObjectBooks
from include.freezeline.landing.plan import DueObject, batch_objects
from include.freezeline.settings import Settings

Progress = Callable[[str], None]

# Small batches keep all workers busy to the end; large ones hide the time that fetching takes.
_BATCH_OBJECTS = (16, 256)
_BATCHES_PER_WORKER = 8
_BATCH_BYTES = 16_000_000
# Starting a worker costs as long as landing about this many small objects.
_MIN_OBJECTS_FOR_WORKERS = 64
_PROGRESS_LINES = 10


def land_batches(
    settings: Settings,
    as_of: datetime,
    due: Sequence[DueObject],
    n_workers: int | None,
    progress: Progress | None,
) -> Iterator[list[ObjectBooks]]:
    """Yield the books of each finished batch, in whatever order they finish.

    Args:
        settings: Bucket, lake and pseudonym key.
        as_of: Exclusive end of what is known.
        due: Objects to land.
        n_workers: Processes to use; all cores when None, none for a few objects.
        progress: Called with a line about every tenth of the way.
    """
    n_workers = _n_workers(len(due)) if n_workers is None else n_workers
    share = -(-len(due) // (_BATCHES_PER_WORKER * n_workers))
    least, most = _BATCH_OBJECTS
    max_objects = min(max(share, least), most)
    batches = batch_objects(due, max_objects=max_objects, max_bytes=_BATCH_BYTES)
    if n_workers > 1:
        done = _in_workers(settings, as_of, batches, n_workers)
    else:
        tools = open_tools(settings, as_of)
        done = (land_batch(tools, batch) for batch in batches)
    n_done = n_said = 0
    for landed in done:
        yield landed
        n_done += len(landed)
        if progress is not None and (n_done - n_said) * _PROGRESS_LINES >= len(due):
            progress(f"landing: {n_done:,} of {len(due):,} objects")
            n_said = n_done


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
) -> Iterator[list[ObjectBooks]]:
    """Land batches in fresh processes, few at a time so that failures stop the run soon.

    Processes are spawned, not forked: a fork of a process with threads (Airflow's) can hang.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        n_workers, mp_context=context, initializer=start_worker, initargs=(settings, as_of)
    ) as pool:
        waiting = iter(batches)
        running: set[Future[list[ObjectBooks]]] = {
            pool.submit(land_batch_in_worker, batch) for batch in islice(waiting, 2 * n_workers)
        }
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            running |= {
                pool.submit(land_batch_in_worker, batch) for batch in islice(waiting, len(done))
            }
            for future in done:
                yield future.result()
