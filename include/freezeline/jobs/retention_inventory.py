"""What retention finds: files of lake and archive, snapshots, and rows of the warehouse."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

from include.freezeline.adapters.lake import Lake
from include.freezeline.adapters.lake_tiers import archive_files, latest_value, row_holdings
from include.freezeline.adapters.warehouse import Warehouse, open_warehouse
from include.freezeline.contracts.judgement import JUDGEMENT_TABLES
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
from include.freezeline.retention.policy import ANY_ENVIRONMENT, RetentionPolicy
from include.freezeline.settings import Settings

_TEXT_MART = "marts.fct_call_texts"


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
        for file in lake.files(table):
            event_date = file.event_date or _newest_arrival(file.path)
            if event_date is not None and is_over(event_date, least_days, today):
                yield LakeItem(
                    target=file.path.relative_to(settings.home).as_posix(),
                    kind=kind,
                    event_date=event_date,
                    holdings=count_holdings(row_holdings(file.path)),
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
        )


def _snapshot_items(settings: Settings) -> Iterator[SnapshotItem]:
    """List published snapshots."""
    for path in sorted(settings.snapshot_dir.glob("as_of=*.duckdb")):
        stamp = path.stem.removeprefix("as_of=")
        as_of = datetime.strptime(stamp, "%Y-%m-%dT%H%M%SZ").replace(tzinfo=UTC)
        yield SnapshotItem(path.relative_to(settings.home).as_posix(), as_of)


def _warehouse_items(settings: Settings) -> Iterator[WarehouseItem]:
    """Count the warehouse's texts and judgements by date and environment."""
    if not settings.warehouse_path.exists():
        return
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        for table, date_sql, environment_sql, holds_text in warehouse_tables(warehouse):
            for row in warehouse.rows(
                f"select {date_sql} as event_date, {environment_sql} as environment, "
                f"count(*) as n_rows from {table} group by all order by all"
            ):
                yield WarehouseItem(
                    table, holds_text, row["event_date"], row["environment"], row["n_rows"]
                )


def warehouse_tables(warehouse: Warehouse) -> list[tuple[str, str, str, bool]]:
    """Return (table, date, environment, holds texts) of the tables under retention.

    Freeze transitions have no ``as_of`` and stay for good: they are the record of every freeze.
    """
    present = {
        row["name"]
        for row in warehouse.rows(
            "select table_schema || '.' || table_name as name from information_schema.tables "
            "where table_type = 'BASE TABLE'"
        )
    }
    tables = [(_TEXT_MART, "call_date", "environment", True)]
    for table in JUDGEMENT_TABLES:
        if "as_of" in table.column_names:
            has_environment = "environment" in table.column_names
            environment = "environment" if has_environment else f"'{ANY_ENVIRONMENT}'"
            tables.append((f"judgement.{table.name}", "as_of::date", environment, False))
    return [entry for entry in tables if entry[0] in present]
