"""What a column is: one definition serves Parquet schemas, SQL tables, checks and the docs."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

ColumnType = Literal[
    "string",
    "int8",
    "int32",
    "int64",
    "float64",
    "bool",
    "timestamp",
    "date",
    "json",
    "binary",
    "list<string>",
    "list<int64>",
    "list<float64>",
    "decimal(18,12)",
    "decimal(38,12)",
]


class Privacy(StrEnum):
    """What landing must do to a column's values before anything is written."""

    NONE = "none"
    """Technical value; passes unchanged (ids, counts, times, closed vocabularies)."""
    TEXT = "text"
    """May hold anything a person typed; every value goes through the redactor."""
    PSEUDONYM = "pseudonym"
    """Names a person or customer; only its keyed pseudonym is stored."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes:
        name: ``<subject>_<statistic>_<unit>``, the unit last (docs/naming.md).
        type: Storage-neutral type; ``timestamp`` is UTC with microseconds, ``json`` is a string
            that holds valid JSON.
        description: A sentence; states the unit and why a value may be null.
        nullable: Whether null is a legal value (unknown is null, never zero).
        privacy: What landing does to the value before it is written.
    """

    name: str
    type: ColumnType
    description: str
    nullable: bool = True
    privacy: Privacy = Privacy.NONE


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the lake or the judgement schema.

    Attributes:
        name: Folder under the lake, or relation name.
        grain: What one row is, as a phrase: "one row per span".
        key: Columns whose values identify a row.
        columns: In storage order.
    """

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names in storage order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """Return the column called ``name``; raises ``KeyError`` when there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        message = f"table {self.name} has no column {name!r}"
        raise KeyError(message)
