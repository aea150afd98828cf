"""Answer a question in SQL from a published snapshot."""

from datetime import datetime
from typing import Any

from include.freezeline.adapters.snapshots import open_snapshot
from include.freezeline.adapters.warehouse import SqlError
from include.freezeline.errors import WarehouseError
from include.freezeline.settings import Settings


def run_query(settings: Settings, sql: str, as_of: datetime | None = None) -> list[dict[str, Any]]:
    """Run a read-only query on a published snapshot.

    Args:
        settings: Where the snapshots are.
        sql: The query; it can neither change the snapshot nor read or write other files.
        as_of: A kept night; the current one when None.

    Raises:
        WarehouseError: Nothing is published yet, the night is not kept, or DuckDB refuses the
            query; the message is DuckDB's own.
    """
    with open_snapshot(settings, as_of) as warehouse:
        try:
            warehouse.execute("set enable_external_access = false")
            return warehouse.rows(sql)
        except SqlError as error:
            message = f"query refused: {error}"
            raise WarehouseError(message) from None
