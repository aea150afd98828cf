"""What retention looks at: files of the lake and the archive, snapshots, warehouse rows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from include.freezeline.retention.policy import ANY_ENVIRONMENT, NO_CLASS, DataKind

WarehouseKind = Literal["text_rows", "texts", "judgement"]


@dataclass(frozen=True, slots=True)
class Holding:
    """Rows of one environment and class of data in one file.

    Attributes:
        environment: ``*`` when nobody knows it.
        n_rows: Rows.
        n_rows_with_text: Rows with a redacted text that is not yet emptied.
        data_class: ``*`` when nobody named one.
    """

    environment: str
    n_rows: int
    n_rows_with_text: int
    data_class: str = NO_CLASS


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
    data_class: str = NO_CLASS


@dataclass(frozen=True, slots=True)
class SnapshotItem:
    """One published snapshot."""

    target: str
    as_of: datetime


@dataclass(frozen=True, slots=True)
class WarehouseItem:
    """Rows of one table, date, environment and class in the warehouse or in a snapshot.

    Attributes:
        table: Schema and name; in a snapshot its file below the home folder and ``:`` before it.
        holds: What the rows are: redacted texts (``text_rows``), measures that carry texts
            (``texts``), or judgements.
        event_date: UTC date of the rows.
        environment: ``*`` when nobody knows it.
        n_rows: Rows.
        data_class: ``*`` when nobody named one.
    """

    table: str
    holds: WarehouseKind
    event_date: date
    environment: str
    n_rows: int
    data_class: str = NO_CLASS


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


def count_holdings(rows: Iterable[tuple[str | None, str | None, bool]]) -> tuple[Holding, ...]:
    """Count rows from (environment, class, has text), by environment and class in order."""
    counts: dict[tuple[str, str], list[int]] = {}
    for environment, data_class, has_text in rows:
        label = (environment or ANY_ENVIRONMENT, data_class or NO_CLASS)
        numbers = counts.setdefault(label, [0, 0])
        numbers[0] += 1
        numbers[1] += has_text
    return tuple(
        Holding(environment, n_rows, n_with_text, data_class)
        for (environment, data_class), (n_rows, n_with_text) in sorted(counts.items())
    )
