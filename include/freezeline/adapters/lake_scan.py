"""What changed in the lake since a build: folders by their time, then files by size and time.

Landing, retention and erasure put every file in place by a rename, which sets the time of its
folder; so the folders alone are looked at, whatever the history holds, and files only in those
that changed.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from include.freezeline.adapters.lake import SCHEMA_FILE

_PARTITION = "dt="
_SUFFIX = ".parquet"


@dataclass(frozen=True, slots=True, order=True)
class Partition:
    """One day of one table."""

    table: str
    day: date


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells one state of a folder or file from another.

    Attributes:
        modified_ns: Its modification time.
        size: Entries of a folder, bytes of a file.
    """

    modified_ns: int
    size: int


@dataclass(frozen=True, slots=True)
class PartitionChange:
    """What is different in a partition.

    Attributes:
        partition: Where.
        new: Files that were not there.
        replaced: Files of another size or time; their old rows are gone.
        removed: Names of files that are gone.
    """

    partition: Partition
    new: tuple[str, ...]
    replaced: tuple[str, ...]
    removed: tuple[str, ...]

    @property
    def has_lost_rows(self) -> bool:
        """Whether rows may be gone."""
        return bool(self.replaced or self.removed)


def scan_partitions(root: Path, tables: Iterable[str]) -> dict[Partition, Stamp]:
    """Return the folders of some tables."""
    found: dict[Partition, Stamp] = {}
    for table in tables:
        for entry in _entries(root / table):
            if entry.name.startswith(_PARTITION) and entry.is_dir():
                day = date.fromisoformat(entry.name.removeprefix(_PARTITION))
                n_entries = sum(1 for _ in _entries(Path(entry.path)))
                stamp = Stamp(entry.stat().st_mtime_ns, n_entries)
                found[Partition(table, day)] = stamp
    return found


def undated_files(root: Path, tables: Iterable[str]) -> list[Path]:
    """Return files with rows that lie beside the partitions."""
    return [
        Path(entry.path)
        for table in tables
        for entry in _entries(root / table)
        if entry.name.endswith(_SUFFIX) and entry.name != SCHEMA_FILE
    ]


def scan_files(root: Path, partition: Partition) -> dict[str, Stamp]:
    """Return the files of a partition."""
    folder = partition_dir(root, partition)
    stats = ((e.name, e.stat()) for e in _entries(folder) if e.name.endswith(_SUFFIX))
    return {name: Stamp(stat.st_mtime_ns, stat.st_size) for name, stat in stats}


def partition_dir(root: Path, partition: Partition) -> Path:
    """Return a partition's folder."""
    return root / partition.table / f"{_PARTITION}{partition.day.isoformat()}"


def changed_partitions(
    built: Mapping[Partition, Stamp], found: Mapping[Partition, Stamp]
) -> list[Partition]:
    """Return the partitions that are new, different or gone, in order."""
    return sorted(p for p in {*built, *found} if built.get(p) != found.get(p))


def compare_files(
    partition: Partition, built: Mapping[str, Stamp], found: Mapping[str, Stamp]
) -> PartitionChange:
    """Return what is different between two states of a partition."""
    there = sorted(found)
    return PartitionChange(
        partition=partition,
        new=tuple(name for name in there if name not in built),
        replaced=tuple(n for n in there if n in built and built[n] != found[n]),
        removed=tuple(sorted(set(built) - set(found))),
    )


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Yield a folder's entries; a missing one has none."""
    if folder.is_dir():
        with os.scandir(folder) as entries:
            yield from entries
