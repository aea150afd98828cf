"""Plans the slice of a night from what changed in the lake, and records what a build has seen."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from include.freezeline.adapters.built_state import LINKS, BuiltState, PartitionFiles
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
from include.freezeline.adapters.slice_days import SliceDays
from include.freezeline.adapters.slice_records import (
    BOOK_TABLES,
    INVOICE_TABLE,
    SEGMENT_TABLES,
    TELEMETRY,
    RecordSource,
    Role,
    record_sources,
)
from include.freezeline.adapters.warehouse import Warehouse
from include.freezeline.contracts.lake import SOURCE_COUNTERS, SPANS
from include.freezeline.facts.spec import FactSpec, fact_table
from include.freezeline.slices.plan import Axis, Slice

_DAY = timedelta(days=1)
_NEW_LINKS = """
create or replace table build.new_records (
    filename varchar, day date, known_at timestamptz, role utinyint,
    trace_hash ubigint, request_hash ubigint, name_hash ubigint
);
create or replace table build.new_links (
    day date, role utinyint, trace_hash ubigint, request_hash ubigint, name_hash ubigint
);
"""
_LINK_COLUMNS = "day, role, trace_hash, request_hash, name_hash"
# A segment's rows change the calls of its tenant or user from an instant on, where it says
# something that the warehouse did not know.
_SEGMENTS: Mapping[str, tuple[str, str, str, str]] = {
    "fact_subscription_tiers": (
        "staging.stg_facts__subscription_tiers", "tenant_key", "valid_from_at", "tier",
    ),
    "fact_experiment_buckets": (
        "staging.stg_facts__experiment_buckets", "user_key", "assigned_at",
        "experiment_name, bucket_name",
    ),
}  # fmt: skip


@dataclass(slots=True)
class LakeChanges:
    """What changed in the lake since the last build.

    Attributes:
        changes: Partitions of rows with an event date.
        books: Arrival dates whose books changed, by table.
        seen: What the build will have seen once it ended well.
        undated: Files with rows that lie beside the partitions.
        is_slice: Whether it was compared with the last build, not with nothing.
    """

    is_slice: bool = False
    changes: list[PartitionChange] = field(default_factory=list)
    books: dict[str, set[date]] = field(default_factory=dict)
    seen: dict[Partition, PartitionFiles] = field(default_factory=dict)
    undated: list[Path] = field(default_factory=list)


class SlicePlanner:
    """Looks at one lake for one night."""

    def __init__(
        self, warehouse: Warehouse, root: Path, specs: Sequence[FactSpec], as_of: datetime
    ) -> None:
        """Use the lake at ``root`` as known before ``as_of``."""
        self._warehouse, self._root, self._as_of = warehouse, root, as_of.astimezone(UTC)
        self._sources = record_sources(specs)
        self._outcomes = [fact_table(s).name for s in specs if _is_outcome(s, self._sources)]
        self._state = BuiltState(warehouse)
        self._built = self._state.inputs()

    def look(self, *, is_everything: bool) -> LakeChanges:
        """Compare the lake with what the last build saw, or with nothing."""
        tables = [*self._sources, *BOOK_TABLES]
        found = scan_partitions(self._root, tables)
        known = {} if is_everything else self._state.partitions()
        awaited = {} if is_everything else self._state.awaited()
        changed = {*changed_partitions(known, found), *awaited}
        partitions = [p for p in sorted(changed) if not self._is_ahead(p)]
        before = {} if is_everything else self._state.files(partitions)
        looked = LakeChanges(not is_everything, undated=undated_files(self._root, tables))
        for partition in partitions:
            stamp = found.get(partition)
            if partition.table in BOOK_TABLES:
                self._look_at_book(looked, partition, stamp)
                continue
            files = scan_files(self._root, partition) if stamp else {}
            looked.changes.append(compare_files(partition, before.get(partition, {}), files))
            looked.seen[partition] = PartitionFiles(partition, stamp, files)
        return looked

    def unknown_facts(self, looked: LakeChanges) -> list[str]:
        """Return the changed tables that nobody told us how to follow."""
        tables = {change.partition.table for change in looked.changes}
        return sorted(table for table in tables if self._sources[table] is None)

    def slice(self, looked: LakeChanges, further: Sequence[date]) -> Slice:
        """Return the days that the changes touch, and those to read for them.

        Args:
            looked: What changed.
            further: Days of calls that the hour touches.
        """
        self._read_changes(looked)
        days = SliceDays(self._warehouse)
        segments = self._segment_days(looked)
        event = days.touched([*further, *segments])
        counters, invoices = days.counters(), days.invoices()
        arrival = set().union(*looked.books.values())
        by_table = {t: _days_of(looked, t) for t in SEGMENT_TABLES}
        touched: dict[Axis, set[date]] = {
            "event": event, "arrival": arrival, "counter": counters["counter"],
            "usage": counters["usage"], "invoice": invoices["invoice"],
            "tier": by_table["fact_subscription_tiers"],
            "bucket": by_table["fact_experiment_buckets"],
        }  # fmt: skip
        loaded = {
            **days.loaded(self._outcomes),
            SOURCE_COUNTERS.name: counters["loaded"],
            INVOICE_TABLE: invoices["loaded"],
            **dict.fromkeys(BOOK_TABLES, arrival),
            **by_table,
        }
        return Slice(
            {axis: sorted(found) for axis, found in touched.items()},
            {table: self._existing(table, found) for table, found in loaded.items()},
        )

    def new_span_files(self, looked: LakeChanges) -> list[str]:
        """Return the paths of spans that the last build did not see."""
        return self._paths(c for c in looked.changes if c.partition.table == SPANS.name)

    def n_stored_days(self) -> int:
        """Return how many days of spans the lake holds."""
        return len(scan_partitions(self._root, [SPANS.name]))

    def finish(self, looked: LakeChanges, *, is_everything: bool) -> None:
        """Record what the build has seen; call :meth:`BuiltState.finish` afterwards."""
        if is_everything:
            self._state.forget()
            self._link_everything(looked)
        else:
            self._link_changes(looked)
        self._state.note_partitions(looked.seen.values())
        self._warehouse.execute("drop table if exists build.new_records")
        self._warehouse.execute("drop table if exists build.new_links")

    @property
    def state(self) -> BuiltState:
        """The record of the last build."""
        return self._state

    def _is_ahead(self, partition: Partition) -> bool:
        """Whether no row of a partition can be known yet; facts may speak of the future."""
        is_of_its_day = partition.table in BOOK_TABLES or partition.table in _EVENT_IS_KNOWN
        return is_of_its_day and _midnight(partition.day) >= self._as_of

    def _look_at_book(self, looked: LakeChanges, book: Partition, stamp: Stamp | None) -> None:
        """Note a changed book; one whose date is not over yet is looked at again next time."""
        looked.books.setdefault(book.table, set()).add(book.day)
        is_over = _midnight(book.day) + _DAY <= self._as_of
        looked.seen[book] = PartitionFiles(book, stamp if is_over else None)

    def _read_changes(self, looked: LakeChanges) -> None:
        """Fill ``new_links`` with the rows that are known now and were not before."""
        awaited = self._state.awaited()
        self._warehouse.execute(_NEW_LINKS)
        since = self._built.as_of if self._built else None
        for change in looked.changes:
            source = self._sources[change.partition.table]
            waiting = awaited.get(change.partition, frozenset()) - {*change.new, *change.replaced}
            self._read(source, self._paths([change]), None)
            self._read(source, self._located(change.partition, waiting), since)
            if change.has_lost_rows:
                self._read_old_links(change.partition, source)
        self._warehouse.execute(
            f"insert into build.new_links select distinct {_LINK_COLUMNS} from build.new_records "
            "where known_at < $as_of",
            {"as_of": self._as_of},
        )
        self._note_awaited(looked)

    def _read(
        self, source: RecordSource | None, files: Sequence[str], since: datetime | None
    ) -> None:
        """Add the rows of files that were not known before a moment."""
        if source is not None and files:
            self._warehouse.execute(
                f"insert into build.new_records by name select * from ({source.sql()}) "
                "where $since is null or known_at >= $since",
                {"files": list(files), "since": since},
            )

    def _read_old_links(self, partition: Partition, source: RecordSource | None) -> None:
        """Add what a partition said before some of its rows went."""
        roles = _roles_of(source)
        self._warehouse.execute(
            f"insert into build.new_links select {_LINK_COLUMNS} from build.links "
            "where day = $day and list_contains($roles, role)",
            {"day": partition.day, "roles": roles},
        )

    def _note_awaited(self, looked: LakeChanges) -> None:
        """Note the files with rows that are not known yet."""
        rows = self._warehouse.rows(
            "select filename from build.new_records group by filename having max(known_at) >= $as_of",
            {"as_of": self._as_of},
        )
        later: dict[Path, set[str]] = {}
        for row in rows:
            path = Path(row["filename"])
            later.setdefault(path.parent, set()).add(path.name)
        for partition, seen in looked.seen.items():
            names = later.get(partition_dir(self._root, partition), set())
            looked.seen[partition] = PartitionFiles(
                partition, seen.stamp, seen.files, frozenset(names)
            )

    def _segment_days(self, looked: LakeChanges) -> set[date]:
        """Return the days of calls whose tier or experiment bucket may differ."""
        found: set[date] = set()
        for change in looked.changes:
            table = change.partition.table
            if table not in _SEGMENTS:
                continue
            staged, key, start, values = _SEGMENTS[table]
            columns = f"{key}, {start}, {values}"
            old = f"select {columns} from {staged} where cast({start} as date) = $day"
            fresh = f"select {columns} from read_parquet($files, union_by_name = true)"
            files = self._located(change.partition, looked.seen[change.partition].files)
            parts = [f"{fresh} except {old}"] if files else []
            parts += [old] if change.has_lost_rows else []
            news = " union ".join(f"select {key}, {start} as start_at from ({p})" for p in parts)
            found |= self._calls_since(news, key, change.partition.day, files) if parts else set()
        return found

    def _calls_since(self, news: str, key: str, day: date, files: Sequence[str]) -> set[date]:
        """Return the days with calls of a segment's key from its start on."""
        rows = self._warehouse.rows(
            f"select distinct call_date from marts.fct_llm_calls as calls inner join ({news}) as n "
            f"on calls.{key} = n.{key} and calls.called_at >= n.start_at "
            "where calls.call_date >= $day",
            {"day": day} | ({"files": list(files)} if files else {}),
        )
        return {row["call_date"] for row in rows}

    def _link_changes(self, looked: LakeChanges) -> None:
        """Add the new links; days that lost rows are linked again from the lake."""
        lost = {c.partition.day for c in looked.changes if c.has_lost_rows}
        self._warehouse.execute(
            f"insert into {LINKS} by name select {_LINK_COLUMNS} from build.new_links "
            "where not list_contains($lost, day)",
            {"lost": sorted(lost)},
        )
        self._warehouse.execute(
            f"delete from {LINKS} where list_contains($lost, day)", {"lost": sorted(lost)}
        )
        for table, source in self._sources.items():
            partitions = [Partition(table, day) for day in sorted(lost)]
            files = [f for p in partitions for f in self._located(p, scan_files(self._root, p))]
            self._link(source, files)

    def _link_everything(self, looked: LakeChanges) -> None:
        """Link all rows of the lake, one table at a time, and note the files that wait."""
        self._warehouse.execute(_NEW_LINKS)
        for table, source in self._sources.items():
            changes = [c for c in looked.changes if c.partition.table == table]
            files = self._paths(changes)
            self._link(source, files)
            if source is not None and files:
                self._warehouse.execute(
                    "insert into build.new_records (filename, known_at) select filename, max(known_at) "
                    f"from ({source.sql()}) where known_at >= $as_of group by filename",
                    {"files": files, "as_of": self._as_of},
                )
        self._note_awaited(looked)

    def _link(self, source: RecordSource | None, files: Sequence[str]) -> None:
        """Add the links of the known rows of files."""
        if source is not None and files:
            self._warehouse.execute(
                f"insert into {LINKS} by name select distinct {_LINK_COLUMNS} "
                f"from ({source.sql()}) where known_at < $as_of",
                {"files": list(files), "as_of": self._as_of},
            )

    def _paths(self, changes: Iterable[PartitionChange]) -> list[str]:
        """Return the paths of the new and replaced files of changes."""
        return [
            path
            for change in changes
            for path in self._located(change.partition, [*change.new, *change.replaced])
        ]

    def _located(self, partition: Partition, names: Iterable[str]) -> list[str]:
        """Return the paths of a partition's files that are still there."""
        folder = partition_dir(self._root, partition)
        return [str(folder / name) for name in sorted(names) if (folder / name).exists()]

    def _existing(self, table: str, days: Iterable[date]) -> list[date]:
        """Return the days that have a partition with files."""
        return [day for day in sorted(days) if scan_files(self._root, Partition(table, day))]


_EVENT_IS_KNOWN = frozenset(source.table for source in TELEMETRY)


def _midnight(day: date) -> datetime:
    """Return the first instant of a day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _days_of(looked: LakeChanges, table: str) -> set[date]:
    """Return the changed days of a table."""
    return {c.partition.day for c in looked.changes if c.partition.table == table}


def _roles_of(source: RecordSource | None) -> list[int]:
    """Return the roles that a table's rows may have."""
    if source is None:
        return []
    return [role.value for role in Role if str(role.value) in source.role]


def _is_outcome(spec: FactSpec, sources: Mapping[str, RecordSource | None]) -> bool:
    """Whether a fact is about a request."""
    source = sources[fact_table(spec).name]
    return source is not None and source.role == str(Role.OUTCOME.value)

