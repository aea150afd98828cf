"""Plans the slice of a night from what changed in the lake, and records what a build has seen."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from include.freezeline.adapters.built_state import BuiltState
from include.freezeline.adapters.lake_changes import LakeChanges, located, look_at_lake, paths_of
from include.freezeline.adapters.lake_scan import (
    Partition,
    PartitionChange,
    scan_files,
    scan_partitions,
)
from include.freezeline.adapters.slice_days import SliceDays
from include.freezeline.adapters.slice_links import SliceLinks
from include.freezeline.adapters.slice_records import (
    BOOK_TABLES,
    INVOICE_TABLE,
    Role,
    record_sources,
)
from include.freezeline.adapters.warehouse import Warehouse
from include.freezeline.contracts.lake import SOURCE_COUNTERS, SPANS
from include.freezeline.facts.spec import FactSpec
from include.freezeline.slices.plan import Axis, Slice


@dataclass(frozen=True, slots=True)
class SegmentFact:
    """A fact that changes the calls of a tenant or user from an instant on.

    Attributes:
        axis: Its own days.
        staged: The rows of the last build.
        key: Whose calls.
        start: From when on.
        values: What it says.
    """

    axis: Axis
    staged: str
    key: str
    start: str
    values: str

    def news_sql(self, change: PartitionChange, *, has_files: bool) -> str | None:
        """Return the query of key and start of what a day says that it did not say before."""
        columns = f"{self.key}, {self.start}, {self.values}"
        old = f"select {columns} from {self.staged} where cast({self.start} as date) = $day"
        fresh = f"select {columns} from read_parquet($files, union_by_name = true)"
        parts = [f"{fresh} except {old}"] if has_files else []
        parts += [old] if change.has_lost_rows else []
        news = (f"select {self.key}, {self.start} as start_at from ({part})" for part in parts)
        return " union ".join(news) or None


SEGMENTS: Mapping[str, SegmentFact] = {
    "fact_subscription_tiers": SegmentFact(
        "tier", "staging.stg_facts__subscription_tiers", "tenant_key", "valid_from_at", "tier"
    ),
    "fact_experiment_buckets": SegmentFact(
        "bucket",
        "staging.stg_facts__experiment_buckets",
        "user_key",
        "assigned_at",
        "experiment_name, bucket_name",
    ),
}


class SlicePlanner:
    """Looks at one lake for one night."""

    def __init__(
        self, warehouse: Warehouse, root: Path, specs: Sequence[FactSpec], as_of: datetime
    ) -> None:
        """Use the lake at ``root`` as known before ``as_of``."""
        self.state = BuiltState(warehouse)
        self._warehouse, self._root, self._as_of = warehouse, root, as_of.astimezone(UTC)
        self._sources = record_sources(specs, SEGMENTS)
        followed = {t: source for t, source in self._sources.items() if source is not None}
        self._outcomes = [t for t, s in followed.items() if s.role == str(Role.OUTCOME.value)]
        self._links = SliceLinks(warehouse, root, followed, self._as_of)

    def look(self, *, is_everything: bool) -> LakeChanges:
        """Compare the lake with what the last build saw, or with nothing."""
        return look_at_lake(
            self.state, self._root, self._sources, self._as_of, is_everything=is_everything
        )

    def unknown_facts(self, looked: LakeChanges) -> list[str]:
        """Return the changed tables that nobody told us how to follow."""
        return sorted(
            table
            for table, source in self._sources.items()
            if source is None and looked.of_table(table)
        )

    def slice(self, looked: LakeChanges, further: Iterable[date]) -> Slice:
        """Return the days that the changes touch, and those to read for them.

        Args:
            looked: What changed.
            further: Days of calls that the hour touches.
        """
        self._links.read(looked, self.state)
        days = SliceDays(self._warehouse)
        event = days.touched([*further, *self._segment_days(looked)])
        counters, invoices = days.counters(), days.invoices()
        segments = {table: looked.days_of(table) for table in SEGMENTS}
        touched: dict[Axis, set[date]] = {
            "event": event,
            "arrival": looked.books,
            "counter": counters["counter"],
            "usage": counters["usage"],
            "invoice": invoices["invoice"],
            **{SEGMENTS[table].axis: found for table, found in segments.items()},
        }
        loaded = {
            **days.loaded(self._outcomes),
            SOURCE_COUNTERS.name: counters["loaded"],
            INVOICE_TABLE: invoices["loaded"],
            **dict.fromkeys(BOOK_TABLES, looked.books),
            **segments,
        }
        return Slice(
            {axis: sorted(found) for axis, found in touched.items()},
            {table: self._existing(table, found) for table, found in loaded.items()},
        )

    def new_span_files(self, looked: LakeChanges) -> list[str]:
        """Return the paths of spans that the last build did not see."""
        return paths_of(self._root, looked.of_table(SPANS.name))

    def n_stored_days(self) -> int:
        """Return how many days of spans the lake holds."""
        return len(scan_partitions(self._root, [SPANS.name]))

    def finish(self, looked: LakeChanges, *, is_everything: bool) -> None:
        """Record what the build has seen; the state's own ``finish`` comes after it."""
        if is_everything:
            self.state.forget()
            self._links.add_everything(looked)
        else:
            self._links.add(looked)
        self.state.note_partitions(looked.seen.values())

    def _segment_days(self, looked: LakeChanges) -> set[date]:
        """Return the days of calls whose tier or experiment bucket may differ."""
        found: set[date] = set()
        for table, segment in SEGMENTS.items():
            for change in looked.of_table(table):
                names = looked.seen[change.partition].files
                files = located(self._root, change.partition, names)
                news = segment.news_sql(change, has_files=bool(files))
                if news is not None:
                    found |= self._calls_since(news, segment.key, change.partition.day, files)
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

    def _existing(self, table: str, days: Iterable[date]) -> list[date]:
        """Return the days that have a partition with files."""
        return [day for day in sorted(days) if scan_files(self._root, Partition(table, day))]
