"""From the rows a reader found to the files and books of one object."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from include.freezeline.contracts.columns import Table
from include.freezeline.errors import AccountingError

WHOLE_OBJECT = -1
LANDED, REPEATED, REFUSED, LATE, COLLAPSED, ERASED = 1, 2, 4, 8, 16, 32
_FIRST_RECORDS = 1024
Row = dict[str, Any]


class RejectLike(Protocol):
    """A record that a reader could not turn into a row."""

    @property
    def offset(self) -> int:
        """Ordinal of the record in the object."""

    @property
    def reason(self) -> str:
        """Short code."""

    @property
    def detail(self) -> str | None:
        """What was found and expected, raw."""

    @property
    def sample(self) -> str | None:
        """First characters of the record, raw."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record put aside by landing itself."""

    offset: int
    reason: str
    detail: str | None = None
    sample: str | None = None


@dataclass(frozen=True, slots=True)
class Books:
    """The count of an object's records; every record is in exactly one of the three."""

    n_records: int
    n_landed: int
    n_duplicates: int
    n_quarantined: int
    n_late: int
    n_collapsed: int
    n_erased: int = 0


@dataclass(frozen=True, slots=True)
class Stream:
    """Raw rows of one table that a reader found in an object.

    Attributes:
        table: Their contract.
        key: Columns that say what a row is about; identical rows of one key are repeats.
        event_column: The row's event time; its UTC date is the partition.
        rows: Values by column name, each with the ``source_offset`` of its record.
    """

    table: Table
    key: tuple[str, ...]
    event_column: str
    rows: Sequence[Row]


class Batch(NamedTuple):
    """Some records of an object, in its order.

    Attributes:
        streams: Their rows by table.
        rejects: Those that cannot be used.
        is_last: Whether no batch follows.
    """

    streams: tuple[Stream, ...]
    rejects: Sequence[RejectLike]
    is_last: bool


class Edits(Protocol):
    """What becomes of rows when the whole object is known: traces that are cut to size."""

    @property
    def dropped(self) -> Collection[int]:
        """Ordinals of records that keep no row of their own."""

    @property
    def changes(self) -> Mapping[int, Row]:
        """New values by column name, by ordinal of the record."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a reader found in an object, known when all of it has been read.

    Attributes:
        format: As the ledger names it.
        signal: As the ledger names it.
        n_records: Records of whatever fate.
        dialects: Dialects of its spans.
        edits: Rows to change or drop; None when all stay as they are.
    """

    format: str
    signal: str
    n_records: int
    dialects: tuple[str, ...] = ()
    edits: Edits | None = None


class Reading(Protocol):
    """An object that is being read."""

    def batches(self) -> Iterator[Batch]:
        """Yield its records, some thousand at a time."""

    def found(self) -> Found:
        """Return what it was; to be asked after the last batch."""


class ReadAtOnce(NamedTuple):
    """An object that has been read as a whole.

    Attributes:
        outcome: What it was.
        streams: All its rows.
        rejects: All its refused records.
    """

    outcome: Found
    streams: tuple[Stream, ...] = ()
    rejects: Sequence[RejectLike] = ()

    def batches(self) -> Iterator[Batch]:
        """Yield all of it."""
        yield Batch(self.streams, self.rejects, is_last=True)

    def found(self) -> Found:
        """Return what it was."""
        return self.outcome


class Fates:
    """What became of each record of an object; one byte per record, however many there are."""

    def __init__(self) -> None:
        """Start with no record seen."""
        self._fates = bytearray()

    def mark(self, offsets: Iterable[int], fate: int) -> None:
        """Note one more thing that became of records.

        Args:
            offsets: Their ordinals; -1 stands for the whole object.
            fate: LANDED, REPEATED, REFUSED, LATE, COLLAPSED or ERASED.
        """
        fates = self._fates
        for offset in offsets:
            while offset + 1 >= len(fates):
                fates.extend(bytes(len(fates) or _FIRST_RECORDS))
            fates[offset + 1] |= fate

    def settle(self, key: str, n_records: int) -> Books:
        """Count each record once, and refuse books that do not add up.

        A record may give several rows (a span and its evaluations) and may lose one of them: it
        counts as landed when any row of it is in the lake, else as a duplicate when any row of it
        repeats another, else as quarantined.

        Args:
            key: The object, for the message.
            n_records: Records the reader found.

        Raises:
            AccountingError: A record is unaccounted for, or counted that was not there.
        """
        fates = np.frombuffer(self._fates, dtype=np.uint8)
        is_landed = fates & LANDED > 0
        is_repeat = ~is_landed & (fates & REPEATED > 0)
        is_reject = ~is_landed & ~is_repeat & (fates & REFUSED > 0)
        n_landed, n_repeats, n_rejects = map(_count, (is_landed, is_repeat, is_reject))
        total = n_landed + n_repeats + n_rejects
        if total != n_records:
            message = (
                f"{key}: {n_records} records read, but {n_landed} landed + {n_repeats} "
                f"duplicates + {n_rejects} quarantined = {total}; the reader of this format "
                "loses or invents records (report it with the object)"
            )
            raise AccountingError(message)
        n_late = _count(is_landed & (fates & LATE > 0))
        n_collapsed = _count(is_landed & (fates & COLLAPSED > 0))
        n_erased = _count(is_landed & (fates & ERASED > 0))
        return Books(n_records, n_landed, n_repeats, n_rejects, n_late, n_collapsed, n_erased)


def _count(mask: Any) -> int:
    """Count what is true."""
    return int(np.count_nonzero(mask))


def commonest_reason(reasons: Iterable[str]) -> str | None:
    """Return the reason given most often, the first in the alphabet on a tie."""
    counts = Counter(reasons)
    return min(counts, key=lambda reason: (-counts[reason], reason)) if counts else None
