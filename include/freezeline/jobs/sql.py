"""Answer a question in SQL from the published snapshot."""

from typing import Any

from include.freezeline.adapters.warehouse import latest_snapshot, open_warehouse
from include.freezeline.errors import WarehouseError
from include.freezeline.settings import Settings


def run_query(settings: Settings, sql: str) -> list[dict[str, Any]]:
    """Run a read-only query on the newest published snapshot.

    Raises:
        WarehouseError: Nothing is published yet, or DuckDB refuses the query; the message is
            DuckDB's own.
    """
    with open_warehouse(latest_snapshot(settings), read_only=True) as warehouse:
        try:
            return warehouse.rows(sql)
        except Exception as error:
            message = f"query refused: {error}"
            raise WarehouseError(message) from None
