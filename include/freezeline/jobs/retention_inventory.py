"""What retention finds: files of lake and archive, snapshots, and rows of the warehouse."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

from include.freezeline.adapters.database_tiers import open_tiered
from include.freezeline.adapters.lake import Lake
from include.freezeline.adapters.lake_labels import RowLabels
from include.freezeline.adapters.lake_tiers import archive_files, have_texts, latest_value
from include.freezeline.adapters.warehouse import (
    open_warehouse,
    snapshot_as_of,
    snapshot_files,
)
from include.freezeline.retention.inventory import (
    ArchiveItem,
    Inventory,
    LakeItem,
    SnapshotItem,
    WarehouseItem,
    count_holdings,
    kind_of,
)
from include.freezeline.retention.plan import is_over
from include.freezeline.retention.policy import NO_CLASS, RetentionPolicy
from include.freezeline.settings import Settings


def cold_dir(settings: Settings) -> Path:
    """Return the archive's folder."""
    return settings.home / "cold"


def take_inventory(settings: Settings, policy: RetentionPolicy, as_of: datetime) -> Inventory:
    """List everything that retention may have to act on."""
    return Inventory(
        lake=tuple(_lake_items(settings, policy, as_of.date())),
        archive=tuple(_archive_items(settings)),
        snapshots=tuple(_snapshot_items(settings)),
        warehouse=tuple(_warehouse_items(settings)),
    )


def _lake_items(settings: Settings, policy: RetentionPolicy, today: date) -> Iterator[LakeItem]:
    """Look into the lake's files that are old enough for any limit."""
    lake = Lake(settings.lake_dir)
    for table in lake.table_names():
        kind = kind_of(table)
        if kind is None:
            continue
        limits = [policy.hot, *([policy.warm[kind]] if kind in policy.warm else [])]
        least_days = min(tier.least_days for tier in limits)
        dated = ((file.path, file.event_date) for file in lake.files(table))
        dates = {path: day or _newest_arrival(path) for path, day in dated}
        old = {path: day for path, day in dates.items() if day and is_over(day, least_days, today)}
        labels = RowLabels(lake, table, list(old))
        for path, event_date in old.items():
            yield LakeItem(
                target=path.relative_to(settings.home).as_posix(),
                kind=kind,
                event_date=event_date,
                holdings=count_holdings(_labelled_rows(path, labels)),
            )


def _labelled_rows(path: Path, labels: RowLabels) -> Iterator[tuple[str, str, bool]]:
    """Yield environment, class and whether a text is left of each row of a file."""
    of_file = labels.of(path)
    yield from zip(
        of_file["environment"].to_pylist(),
        of_file["data_class"].to_pylist(),
        have_texts(path),
        strict=True,
    )


def _newest_arrival(path: Path) -> date | None:
    """Return the date of an undated file by its newest row."""
    newest = latest_value(path, "arrived_at")
    return newest.astimezone(UTC).date() if newest is not None else None


def _archive_items(settings: Settings) -> Iterator[ArchiveItem]:
    """List archived files."""
    for path, manifest in archive_files(cold_dir(settings)):
        yield ArchiveItem(
            target=path.relative_to(settings.home).as_posix(),
            event_date=date.fromisoformat(path.parent.name.removeprefix("dt=")),
            environments=tuple(manifest["environments"]),
            n_rows=int(manifest["n_rows"]),
            data_class=manifest.get("data_class", NO_CLASS),
        )


def _snapshot_items(settings: Settings) -> Iterator[SnapshotItem]:
    """List published snapshots."""
    for path in snapshot_files(settings.snapshot_dir):
        yield SnapshotItem(path.relative_to(settings.home).as_posix(), snapshot_as_of(path))


def _warehouse_items(settings: Settings) -> Iterator[WarehouseItem]:
    """Count texts and judgements in the warehouse and in every snapshot, by date and label."""
    for name, path in database_files(settings).items():
        with open_tiered(path) as database:
            for group in database.groups():
                yield WarehouseItem(
                    table=f"{name}:{group.table}" if name else group.table,
                    holds=group.holds,
                    event_date=group.event_date,
                    environment=group.environment,
                    n_rows=group.n_rows,
                    data_class=group.data_class,
                )


def database_files(settings: Settings) -> dict[str, Path]:
    """Return the warehouse, under an empty name, and every snapshot by its path below home."""
    found: dict[str, Path] = {}
    if settings.warehouse_path.exists():
        with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
            warehouse.execute("checkpoint")  # so that all of it is in the file
        found[""] = settings.warehouse_path
    for path in snapshot_files(settings.snapshot_dir):
        found[path.relative_to(settings.home).as_posix()] = path
    return found
