"""Objects are fetched ahead, in order, and never more of them than the bound."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from include.freezeline.errors import StoreError, StoreNotFoundError
from include.freezeline.jobs.fetch import fetch_ahead
from include.freezeline.landing.plan import DueObject

AT = datetime(2026, 10, 13, tzinfo=UTC)


class SlowStore:
    """Holds objects of given sizes and notes how many bytes are out at a time."""

    def __init__(self, sizes: list[int]) -> None:
        self.due = [
            DueObject(f"k{n:03}", "traces", "traces", "e", size, AT, may_replace=False)
            for n, size in enumerate(sizes)
        ]
        self._sizes = {item.key: item.size_bytes for item in self.due}
        self._lock = threading.Lock()
        self.started: list[str] = []

    def read_bytes(self, key: str) -> bytes:
        with self._lock:
            self.started.append(key)
        if key not in self._sizes:
            raise StoreNotFoundError(key)
        return bytes(self._sizes[key])

    def list_objects(self, prefix: str = "") -> Iterator[Any]:  # noqa: ARG002 - a store's
        return iter(())


@given(st.lists(st.integers(0, 60), max_size=40), st.integers(1, 8), st.integers(1, 100))
@hypothesis_settings(deadline=None, max_examples=40)
def test_objects_come_in_order_within_the_bounds(
    sizes: list[int], n_threads: int, ahead_bytes: int
) -> None:
    store: Any = SlowStore(sizes)
    done = 0
    for due, data in fetch_ahead(store, store.due, n_threads=n_threads, ahead_bytes=ahead_bytes):
        assert (due, len(data or b"")) == (store.due[done], due.size_bytes)
        # All that was asked for and is not done yet, the one in hand included.
        out = [store.due[int(key[1:])] for key in store.started if int(key[1:]) >= done]
        assert len(out) <= n_threads
        assert len(out) == 1 or sum(item.size_bytes for item in out) <= ahead_bytes
        done += 1
    assert done == len(sizes)


def test_others_are_fetched_while_the_caller_works() -> None:
    store: Any = SlowStore([5] * 10)
    fetched = fetch_ahead(store, store.due, n_threads=4)
    assert next(fetched)[0].key == "k000"
    deadline = time.monotonic() + 10
    while len(store.started) < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(store.started) == 4
    assert len(list(fetched)) == 9


def test_an_object_that_vanished_is_none_and_a_broken_store_is_an_error() -> None:
    store: Any = SlowStore([1, 2, 3])
    del store._sizes["k001"]
    assert [data for _, data in fetch_ahead(store, store.due)] == [b"\0", None, b"\0\0\0"]

    def fail(key: str) -> bytes:
        raise StoreError(key)

    store.read_bytes = fail
    with pytest.raises(StoreError, match="k000"):
        list(fetch_ahead(store, store.due))
