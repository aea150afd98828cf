"""Land a set of objects in any order and any number of runs, and compare the lakes byte by byte."""

import contextlib
import os
import random
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from include.freezeline.adapters.lake import Lake
from include.freezeline.errors import EmptyNightError
from include.freezeline.jobs import land_batches
from include.freezeline.jobs.land import land
from include.freezeline.jobs.land_object import open_source, open_tools
from include.freezeline.settings import Settings
from tests.unit.landing.bucket import content


def share_tools(monkeypatch: pytest.MonkeyPatch, settings: Settings, as_of: datetime) -> None:
    """Load the redactor once for many runs; stores and lakes stay their own."""
    loaded = open_tools(settings, as_of)

    def tools(own: Settings, _: datetime) -> Any:
        return replace(loaded, store=open_source(own), lake=Lake(own.lake_dir))

    monkeypatch.setattr(land_batches, "open_tools", tools)


def land_in_runs(
    settings: Settings, objects: Path, keys: Sequence[str], as_of: datetime, n_runs: int, seed: int
) -> dict[str, str]:
    """Let objects arrive in a shuffled order, landing after each part, some again and again.

    Returns:
        Every file of the lake with a hash of its bytes.
    """
    rng = random.Random(seed)  # noqa: S311 - an order of test objects
    order = rng.sample(keys, len(keys))
    bucket = Path(str(settings.source_uri).removeprefix("file://"))
    bucket.mkdir(parents=True)
    size = -(-len(order) // n_runs)
    for start in range(0, len(order), size):
        part = order[start : start + size]
        again = rng.sample(order[:start], min(3, start))  # a retry writes the same bytes
        for key in [*part, *again]:
            (bucket / key).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(objects / key, bucket / key)
        with _as_they_come():
            land(settings, as_of, is_full=True, n_workers=1)
    before = content(settings)
    with _as_they_come():
        land(settings, as_of, is_full=True, n_workers=1)
    assert content(settings) == before
    return before


def keys_below(folder: Path) -> list[str]:
    """Return the keys of all files of a folder."""
    return sorted(
        Path(top, name).relative_to(folder).as_posix()
        for top, _, names in os.walk(folder)
        for name in names
    )


@contextlib.contextmanager
def _as_they_come() -> Iterator[None]:
    """While objects are still on their way a night may be silent or low."""
    with contextlib.suppress(EmptyNightError):
        yield
