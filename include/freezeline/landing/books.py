"""What landing an object adds to the books, and that the books add up."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from include.freezeline.errors import AccountingError
from include.freezeline.landing.arrival import date_of
from include.freezeline.landing.records import Row


@dataclass(frozen=True, slots=True)
class ObjectBooks:
    """The book rows of one landed object.

    Attributes:
        ledger: Its ledger row.
        quarantine: Its quarantined records.
        redaction_counts: What was redacted in it.
        was_on: Arrival date of the version it replaces; None when it replaces none.
    """

    ledger: Row
    quarantine: tuple[Row, ...]
    redaction_counts: tuple[Row, ...]
    was_on: date | None = None

    @property
    def key(self) -> str:
        """Object key."""
        return str(self.ledger["source_object"])

    @property
    def arrival_date(self) -> date:
        """Date under which the books keep it."""
        return date_of(self.ledger["arrived_at"])

    @property
    def dates(self) -> set[date]:
        """Dates whose books change."""
        return {self.arrival_date} | ({self.was_on} if self.was_on is not None else set())


def require_balance(where: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Refuse books in which records are missing or counted twice.

    Args:
        where: What the rows are the books of, for the message.
        rows: Rows with the record counts.

    Raises:
        AccountingError: Naming the sums.
    """
    names = ("record_count", "landed_count", "duplicate_count", "quarantined_count")
    sums = dict.fromkeys(names, 0)
    for row in rows:
        for name in names:
            sums[name] += int(row[name])
    records, landed, duplicates, quarantined = sums.values()
    if landed + duplicates + quarantined != records:
        message = (
            f"ledger of {where}: {records:,} records, but {landed:,} landed + {duplicates:,} "
            f"duplicates + {quarantined:,} quarantined = {landed + duplicates + quarantined:,}; "
            "the books are damaged (delete the ledger file of that date and land it again with "
            "--full)"
        )
        raise AccountingError(message)
