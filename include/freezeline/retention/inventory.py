"""What retention looks at: files of the lake and the archive, snapshots, warehouse rows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from include.freezeline.retention.policy import ANY_ENVIRONMENT, DataKind


@dataclass(frozen=True, slots=True)
class Holding:
    """Rows of one environment in one file.

    Attributes:
        environment: ``*`` when the table has no environment.
        n_rows: Rows.
        n_rows_with_text: Rows with a redacted text that is not yet emptied.
    """

    environment: str
    n_rows: int
    n_rows_with_text: int


@dataclass(frozen=True, slots=True)
class LakeItem:
    """One Parquet file of the lake.

    Attributes:
        target: Path below the home folder.
        kind: Kind of data.
        event_date: UTC date of its youngest row's event.
        holdings: Its rows by environment.
    """

    target: str
    kind: DataKind
    event_date: date
    holdings: tuple[Holding, ...]


@dataclass(frozen=True, slots=True)
class ArchiveItem:
    """One archived file."""

    target: str
    event_date: date
    environments: tuple[str, ...]
    n_rows: int


@dataclass(frozen=True, slots=True)
class SnapshotItem:
    """One published snapshot."""

    target: str
    as_of: datetime


@dataclass(frozen=True, slots=True)
class WarehouseItem:
    """Rows of one warehouse table, date and environment.

    Attributes:
        table: Schema and name.
        holds_text: Whether the rows are redacted texts (hot) or judgements (warm).
        event_date: UTC date of the rows.
        environment: ``*`` when the table has no environment.
        n_rows: Rows.
    """

    table: str
    holds_text: bool
    event_date: date
    environment: str
    n_rows: int


@dataclass(frozen=True, slots=True)
class Inventory:
    """Everything retention may have to act on."""

    lake: tuple[LakeItem, ...] = ()
    archive: tuple[ArchiveItem, ...] = ()
    snapshots: tuple[SnapshotItem, ...] = ()
    warehouse: tuple[WarehouseItem, ...] = ()


def kind_of(table_name: str) -> DataKind | None:
    """Return the kind of data of a lake table; the other books and the price book are always kept.

    The side tables of spans go with their spans.
    """
    if table_name.startswith("fact_"):
        return "facts"
    kinds: dict[str, DataKind] = {
        "spans": "spans",
        "message_contents": "spans",
        "call_events": "spans",
        "retrieval_documents": "spans",
        "tool_calls": "spans",
        "source_counters": "spans",
        "evaluations": "evaluations",
        "quarantine": "quarantine",
    }
    return kinds.get(table_name)


def count_holdings(rows: Iterable[tuple[str | None, bool]]) -> tuple[Holding, ...]:
    """Count rows by environment from (environment, has text) pairs, environments in order."""
    counts: dict[str, list[int]] = {}
    for environment, has_text in rows:
        numbers = counts.setdefault(environment or ANY_ENVIRONMENT, [0, 0])
        numbers[0] += 1
        numbers[1] += has_text
    return tuple(Holding(name, *counts[name]) for name in sorted(counts))
