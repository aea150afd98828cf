"""Answer a question in SQL from a published snapshot."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from include.freezeline.adapters.read_only import Answer, open_query
from include.freezeline.adapters.snapshots import snapshot_path
from include.freezeline.settings import Settings

__all__ = ["Answer", "run_query"]


@contextmanager
def run_query(settings: Settings, sql: str, as_of: datetime | None = None) -> Iterator[Answer]:
    """Run a read-only query on a published snapshot.

    Args:
        settings: Where the snapshots are.
        sql: One statement that reads.
        as_of: The night to ask; the newest one when None.

    Raises:
        WarehouseError: Nothing is published yet, the night is not kept, or the query is refused.
    """
    with open_query(snapshot_path(settings, as_of), sql) as answer:
        yield answer
