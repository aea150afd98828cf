"""Reads the links of what changed, and keeps those of what the warehouse was built from."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from include.freezeline.adapters.built_state import BuiltState, PartitionFiles
from include.freezeline.adapters.lake import SCHEMA_FILE
from include.freezeline.adapters.lake_changes import LakeChanges, located, paths_of
from include.freezeline.adapters.lake_scan import (
    Partition,
    PartitionChange,
    partition_dir,
    scan_files,
)
from include.freezeline.adapters.slice_records import RecordSource, Role
from include.freezeline.adapters.warehouse import Warehouse

_CREATE = """
create or replace table build.new_records (
    filename varchar, day date, known_at timestamptz, role utinyint,
    trace_hash ubigint, request_hash ubigint, name_hash ubigint
);
create or replace table build.new_links (
    day date, role utinyint, trace_hash ubigint, request_hash ubigint, name_hash ubigint
);
"""
_DROP = "drop table if exists build.new_records; drop table if exists build.new_links"
_COLUMNS = "day, role, trace_hash, request_hash, name_hash"


class SliceLinks:
    """Links between the lake at ``root`` and the warehouse, as known before ``as_of``."""

    def __init__(
        self,
        warehouse: Warehouse,
        root: Path,
        sources: Mapping[str, RecordSource | None],
        as_of: datetime,
    ) -> None:
        """Use one lake for one night."""
        self._warehouse, self._root, self._as_of = warehouse, root, as_of
        self._sources = {table: source for table, source in sources.items() if source is not None}

    def read(self, looked: LakeChanges, state: BuiltState) -> None:
        """Fill ``build.new_links`` with the rows that are known now and were not before."""
        built, awaited = state.inputs(), state.awaited()
        self._warehouse.execute(_CREATE)
        for change in looked.changes:
            source = self._sources[change.partition.table]
            self._read(source, paths_of(self._root, [change]), None)
            waiting = awaited.get(change.partition, frozenset()) - {*change.new, *change.replaced}
            since = None if built is None else built.as_of
            self._read(source, located(self._root, change.partition, waiting), since)
            if change.has_lost_rows:
                self._read_lost(change, source)
        self._warehouse.execute(
            f"insert into build.new_links select distinct {_COLUMNS} from build.new_records "
            "where known_at < $as_of",
            {"as_of": self._as_of},
        )
        self._note_awaited(looked)

    def add(self, looked: LakeChanges) -> None:
        """Keep the new links; days that lost rows are linked again from the lake."""
        lost = sorted({c.partition.day for c in looked.changes if c.has_lost_rows})
        self._warehouse.execute(
            f"insert into build.links by name select {_COLUMNS} from build.new_links "
            "where not list_contains($lost, day)",
            {"lost": lost},
        )
        if lost:
            self._warehouse.execute(
                "delete from build.links where list_contains($lost, day)", {"lost": lost}
            )
        for table, source in self._sources.items():
            partitions = [Partition(table, day) for day in lost]
            files = [
                f for p in partitions for f in located(self._root, p, scan_files(self._root, p))
            ]
            self._link(source, files)
        self._warehouse.execute(_DROP)

    def add_everything(self, looked: LakeChanges) -> None:
        """Link all rows of the lake, one table at a time, and note the files that wait."""
        self._warehouse.execute(_CREATE)
        for table, source in self._sources.items():
            files = paths_of(self._root, looked.of_table(table))
            self._link(source, files)
            if files:
                self._warehouse.execute(
                    "insert into build.new_records (filename, known_at) "
                    f"select filename, max(known_at) from ({source.sql()}) "
                    "where known_at >= $as_of group by filename",
                    {"files": self._with_columns(source, files), "as_of": self._as_of},
                )
        self._note_awaited(looked)
        self._warehouse.execute(_DROP)

    def _read(self, source: RecordSource, files: Sequence[str], since: datetime | None) -> None:
        """Add the rows of files that were not known before a moment."""
        if files:
            self._warehouse.execute(
                f"insert into build.new_records by name select * from ({source.sql()}) "
                "where $since is null or known_at >= $since",
                {"files": self._with_columns(source, files), "since": since},
            )

    def _read_lost(self, change: PartitionChange, source: RecordSource) -> None:
        """Add what a partition said before some of its rows went."""
        self._warehouse.execute(
            f"insert into build.new_links select {_COLUMNS} from build.links "
            "where day = $day and list_contains($roles, role)",
            {
                "day": change.partition.day,
                "roles": [role.value for role in Role if str(role.value) in source.role],
            },
        )

    def _link(self, source: RecordSource, files: Sequence[str]) -> None:
        """Keep the links of the known rows of files."""
        if files:
            self._warehouse.execute(
                f"insert into build.links by name select distinct {_COLUMNS} "
                f"from ({source.sql()}) where known_at < $as_of",
                {"files": self._with_columns(source, files), "as_of": self._as_of},
            )

    def _with_columns(self, source: RecordSource, files: Sequence[str]) -> list[str]:
        """Return files with the one that has every column, since old ones lack new columns."""
        schema = self._root / source.table / SCHEMA_FILE
        return [str(schema), *files] if schema.exists() else list(files)

    def _note_awaited(self, looked: LakeChanges) -> None:
        """Note the files with rows that are not known yet."""
        rows = self._warehouse.rows(
            "select filename from build.new_records group by filename "
            "having max(known_at) >= $as_of",
            {"as_of": self._as_of},
        )
        later: dict[Path, set[str]] = {}
        for path in (Path(row["filename"]) for row in rows):
            later.setdefault(path.parent, set()).add(path.name)
        for partition, seen in looked.seen.items():
            names = frozenset(later.get(partition_dir(self._root, partition), ()))
            looked.seen[partition] = PartitionFiles(partition, seen.stamp, seen.files, names)
