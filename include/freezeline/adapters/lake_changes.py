"""What changed in the lake since the last build, as the night may know it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from include.freezeline.adapters.built_state import BuiltState, PartitionFiles
from include.freezeline.adapters.lake_scan import (
    Partition,
    PartitionChange,
    Stamp,
    changed_partitions,
    compare_files,
    partition_dir,
    scan_files,
    scan_partitions,
    undated_files,
)
from include.freezeline.adapters.slice_records import BOOK_TABLES, TELEMETRY

_DAY = timedelta(days=1)
# Rows of these are not known before they happen; facts may speak of the future.
_OF_THEIR_DAY = frozenset({*BOOK_TABLES, *(source.table for source in TELEMETRY)})


@dataclass(slots=True)
class LakeChanges:
    """What changed in the lake.

    Attributes:
        changes: Partitions of rows with an event date.
        books: Arrival dates whose books changed.
        seen: What the build will have seen once it ended well.
        undated: Files with rows that lie beside the partitions.
    """

    changes: list[PartitionChange] = field(default_factory=list)
    books: set[date] = field(default_factory=set)
    seen: dict[Partition, PartitionFiles] = field(default_factory=dict)
    undated: list[Path] = field(default_factory=list)

    def of_table(self, table: str) -> list[PartitionChange]:
        """Return the changes of one table."""
        return [change for change in self.changes if change.partition.table == table]

    def days_of(self, table: str) -> set[date]:
        """Return the changed days of one table."""
        return {change.partition.day for change in self.of_table(table)}


def look_at_lake(
    state: BuiltState,
    root: Path,
    tables: Collection[str],
    as_of: datetime,
    *,
    is_everything: bool,
) -> LakeChanges:
    """Compare the lake with what the last build saw, or with nothing.

    Args:
        state: The record of the last build.
        root: The lake.
        tables: Tables with an event date.
        as_of: What happens from here on is not known yet.
        is_everything: Whether everything counts as changed.
    """
    followed = [*tables, *BOOK_TABLES]
    found = scan_partitions(root, followed)
    known = {} if is_everything else state.partitions()
    awaited = {} if is_everything else state.awaited()
    changed = sorted({*changed_partitions(known, found), *awaited})
    partitions = [p for p in changed if not _is_ahead(p, as_of)]
    before = {} if is_everything else state.files(partitions)
    looked = LakeChanges(undated=undated_files(root, followed))
    for partition in partitions:
        stamp = found.get(partition)
        if partition.table in BOOK_TABLES:
            _look_at_book(looked, partition, stamp, as_of)
            continue
        files = scan_files(root, partition) if stamp else {}
        looked.changes.append(compare_files(partition, before.get(partition, {}), files))
        looked.seen[partition] = PartitionFiles(partition, stamp, files)
    return looked


def paths_of(root: Path, changes: Iterable[PartitionChange]) -> list[str]:
    """Return the paths of the new and replaced files of changes."""
    return [
        path
        for change in changes
        for path in located(root, change.partition, [*change.new, *change.replaced])
    ]


def located(root: Path, partition: Partition, names: Iterable[str]) -> list[str]:
    """Return the paths of a partition's files that are still there."""
    folder = partition_dir(root, partition)
    return [str(folder / name) for name in sorted(names) if (folder / name).exists()]


def _is_ahead(partition: Partition, as_of: datetime) -> bool:
    """Whether no row of a partition can be known yet."""
    return partition.table in _OF_THEIR_DAY and _midnight(partition.day) >= as_of


def _look_at_book(
    looked: LakeChanges, book: Partition, stamp: Stamp | None, as_of: datetime
) -> None:
    """Note a changed book; one whose date is not over yet is looked at again next time."""
    looked.books.add(book.day)
    is_over = _midnight(book.day) + _DAY <= as_of
    looked.seen[book] = PartitionFiles(book, stamp if is_over else None)


def _midnight(day: date) -> datetime:
    """Return the first instant of a day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
