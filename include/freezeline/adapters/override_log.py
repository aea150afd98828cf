"""The log of overrides, and the lock that keeps document and log in step."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from include.freezeline.adapters.chained_log import ChainedLog
from include.freezeline.errors import OverrideError
from include.freezeline.settings import Settings


def override_log(settings: Settings) -> ChainedLog:
    """Return the log ``<home>/overrides/overrides.jsonl``."""
    path = settings.home / "overrides" / "overrides.jsonl"
    return ChainedLog(path, OverrideError, "no override is granted or published")


@contextmanager
def publishing_lock(settings: Settings) -> Iterator[None]:
    """Hold back others who publish: the last document written knows every override before it."""
    settings.home.mkdir(parents=True, exist_ok=True)
    handle = os.open(settings.home / "publish.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
