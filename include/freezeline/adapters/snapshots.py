"""Read a published snapshot: the current one, or that of a kept night (time travel)."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from include.freezeline.adapters.warehouse import (
    Warehouse,
    latest_snapshot,
    open_warehouse,
    snapshot_files,
)
from include.freezeline.errors import WarehouseError
from include.freezeline.settings import Settings

_NIGHT = "as_of=%Y-%m-%dT%H%M%SZ"
_ATTEMPTS = 5


@contextmanager
def open_snapshot(settings: Settings, as_of: datetime | None = None) -> Iterator[Warehouse]:
    """Open a snapshot read-only; whatever is published meanwhile, it stays the one that was opened.

    Args:
        settings: Where the snapshots are.
        as_of: The night, exclusive end; the current one when None.

    Raises:
        WarehouseError: Nothing is published, or that night is not kept.
    """
    with open_warehouse(snapshot_path(settings, as_of), read_only=True) as warehouse:
        yield warehouse


def snapshot_path(settings: Settings, as_of: datetime | None = None) -> Path:
    """Return the snapshot of a night, the current one when None.

    Raises:
        WarehouseError: Nothing is published, or that night is not kept.
    """
    if as_of is not None:
        return kept_snapshot(settings, as_of)
    for _ in range(_ATTEMPTS):
        path = latest_snapshot(settings)
        # Another night may be published, and this one purged, before the file is open.
        if path.exists():
            break
    return path


def kept_snapshot(settings: Settings, as_of: datetime) -> Path:
    """Return the snapshot of a night.

    Raises:
        WarehouseError: It is not kept; the message names those that are.
    """
    name = as_of.astimezone(UTC).strftime(_NIGHT)
    kept = {path.stem: path for path in snapshot_files(settings.snapshot_dir)}
    if name not in kept:
        nights = [_shown(stem) for stem in sorted(kept)]
        told = f"{len(nights)} are, from {nights[0]} to {nights[-1]}" if nights else "none is"
        message = (
            f"{settings.snapshot_dir}: the night {as_of.astimezone(UTC):%Y-%m-%dT%H:%MZ} is not "
            f"kept ({told}; `snapshots` in config/retention.yml says how many and how long)"
        )
        raise WarehouseError(message)
    return kept[name]


def _shown(stem: str) -> str:
    """Return a snapshot's night as people write it."""
    return f"{datetime.strptime(stem, _NIGHT):%Y-%m-%dT%H:%MZ}"  # noqa: DTZ007 - a name, not a time
