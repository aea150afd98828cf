"""List the outbox and what became of it."""

from datetime import datetime
from typing import Any

from include.freezeline.adapters.warehouse import Warehouse, open_warehouse
from include.freezeline.errors import AlertError
from include.freezeline.jobs.alert_reads import newest_decided
from include.freezeline.settings import Settings

Row = dict[str, Any]


def list_alerts(
    settings: Settings, *, is_open: bool, is_silent: bool, feature: str | None
) -> list[Row]:
    """Return outbox rows with their deliveries, in order of time.

    The nightly's own file is read, since what was sent is written after a night is published.

    Args:
        settings: Where the warehouse is.
        is_open: Only of alerts that are not resolved.
        is_silent: Also what nobody was to be told.
        feature: Only of one feature; all when None.
    """
    with open_warehouse(settings.warehouse_path, read_only=True) as warehouse:
        if not _has_outbox(warehouse):
            return []
        events = warehouse.rows(
            "select * from judgement.alert_events order by transitioned_at, tier, dedup_key"
        )
        sent = warehouse.rows("select * from judgement.alert_deliveries order by attempted_at")
    over = {row["dedup_key"] for row in events if row["transition"] == "RESOLVED"}
    return [
        {**row, "deliveries": [s for s in sent if s["alert_event_key"] == row["alert_event_key"]]}
        for row in events
        if (is_silent or not row["is_silent"])
        and not (is_open and row["dedup_key"] in over)
        and feature in (None, row["feature"])
    ]


def newest_night(settings: Settings) -> datetime:
    """Return the newest decided night.

    Raises:
        AlertError: No night was decided.
        WarehouseError: There is no warehouse yet.
    """
    with open_warehouse(settings.warehouse_path, read_only=True) as warehouse:
        is_known = warehouse.rows(
            "select 1 from information_schema.tables "
            "where table_schema = 'judgement' and table_name = 'freeze_flags'"
        )
        found = newest_decided(warehouse) if is_known else None
    if found is None:
        message = "no night was decided yet (run the nightly DAG, or `make demo`)"
        raise AlertError(message)
    return found


def _has_outbox(warehouse: Warehouse) -> bool:
    """Whether the warehouse is of a release that has alerts."""
    return bool(
        warehouse.rows(
            "select 1 from information_schema.tables "
            "where table_schema = 'judgement' and table_name = 'alert_deliveries'"
        )
    )
