"""Fetch objects ahead of the one that is being parsed, within a bound of bytes."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from include.freezeline.adapters.object_store import ObjectStore
from include.freezeline.errors import StoreNotFoundError
from include.freezeline.landing.plan import DueObject

_THREADS = 16
_AHEAD_BYTES = 32_000_000


def fetch_ahead(
    store: ObjectStore,
    batch: Sequence[DueObject],
    *,
    n_threads: int = _THREADS,
    ahead_bytes: int = _AHEAD_BYTES,
) -> Iterator[tuple[DueObject, bytes | None]]:
    """Yield a batch's objects in order with their bytes; None when one vanished.

    While the caller works on an object, the next ones are fetched, as many as there are threads
    and no more than ``ahead_bytes`` of them; an object larger than that is fetched alone.

    Args:
        store: Where they are.
        batch: Objects with their listed sizes.
        n_threads: Requests under way at a time, and objects held at a time.
        ahead_bytes: Bytes held at a time.

    Raises:
        StoreError: An object could not be read, or the whole bucket is gone.
    """
    waiting: deque[tuple[DueObject, Future[bytes | None]]] = deque()
    coming = deque(batch)
    held_bytes = 0
    pool = ThreadPoolExecutor(max(min(n_threads, len(batch)), 1))
    try:
        while coming or waiting:
            while coming and (
                not waiting
                or (len(waiting) < n_threads and held_bytes + coming[0].size_bytes <= ahead_bytes)
            ):
                due = coming.popleft()
                held_bytes += due.size_bytes
                waiting.append((due, pool.submit(_fetch, store, due.key)))
            due, future = waiting.popleft()
            yield due, future.result()
            held_bytes -= due.size_bytes
    finally:
        pool.shutdown(cancel_futures=True)


def _fetch(store: ObjectStore, key: str) -> bytes | None:
    """Return an object's bytes, or None when it vanished after it was listed.

    Raises:
        StoreNotFoundError: The whole bucket is gone.
    """
    try:
        return store.read_bytes(key)
    except StoreNotFoundError:
        next(store.list_objects(key), None)  # raises when there is no bucket any more
        return None
