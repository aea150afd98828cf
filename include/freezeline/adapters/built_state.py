"""What the warehouse was last built from, kept in the warehouse itself (schema ``build``).

A build takes the record away before it changes a table and writes it again when all of it ended
well, so a build that was cut off is followed by one of everything.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from include.freezeline.adapters.lake_scan import Partition, Stamp
from include.freezeline.adapters.warehouse import Warehouse
from include.freezeline.slices.plan import BuiltInputs

LINKS = "build.links"
_TABLES = (
    "state (as_of timestamptz, code_hash varchar, policy_hash varchar, tombstones_hash varchar)",
    "partitions (table_name varchar, day date, modified_ns bigint, n_entries bigint)",
    "files (table_name varchar, day date, file_name varchar, modified_ns bigint, "
    "size_bytes bigint, is_awaited boolean)",
    "links (day date, role utinyint, trace_hash ubigint, request_hash ubigint, name_hash ubigint)",
)


@dataclass(frozen=True, slots=True)
class PartitionFiles:
    """The files of a partition as a build saw them.

    Attributes:
        partition: Where.
        stamp: The folder; None when it is gone.
        files: Its files by name.
        awaited: Files with rows that are not known yet.
    """

    partition: Partition
    stamp: Stamp | None
    files: Mapping[str, Stamp] = field(default_factory=dict)
    awaited: frozenset[str] = frozenset()


class BuiltState:
    """Reads and writes the record."""

    def __init__(self, warehouse: Warehouse) -> None:
        """Create what is missing of the schema."""
        self._warehouse = warehouse
        warehouse.execute("create schema if not exists build")
        for table in _TABLES:
            warehouse.execute(f"create table if not exists build.{table}")

    def inputs(self) -> BuiltInputs | None:
        """Return what the last build that ended well was made of."""
        rows = self._warehouse.rows("select * from build.state")
        return BuiltInputs(**rows[0]) if rows else None

    def partitions(self) -> dict[Partition, Stamp]:
        """Return the partitions as they were."""
        rows = self._warehouse.rows("select * from build.partitions")
        return {
            Partition(row["table_name"], row["day"]): Stamp(row["modified_ns"], row["n_entries"])
            for row in rows
        }

    def files(self, partitions: Sequence[Partition]) -> dict[Partition, dict[str, Stamp]]:
        """Return the files that some partitions had."""
        found: dict[Partition, dict[str, Stamp]] = {each: {} for each in partitions}
        for row in self._of_partitions("select * from build.files", partitions):
            stamp = Stamp(row["modified_ns"], row["size_bytes"])
            found[Partition(row["table_name"], row["day"])][row["file_name"]] = stamp
        return found

    def awaited(self) -> dict[Partition, frozenset[str]]:
        """Return the files with rows that were not known yet."""
        rows = self._warehouse.rows(
            "select table_name, day, list(file_name) as names from build.files "
            "where is_awaited group by all"
        )
        return {Partition(r["table_name"], r["day"]): frozenset(r["names"]) for r in rows}

    def begin(self) -> None:
        """Take the record away: the tables are about to change."""
        self._warehouse.execute("delete from build.state")

    def forget(self) -> None:
        """Take everything away, because everything is built again."""
        for table in _TABLES:
            self._warehouse.execute(f"delete from build.{table.split(' ', 1)[0]}")

    def note_partitions(self, seen: Iterable[PartitionFiles]) -> None:
        """Write what some partitions hold now, in place of what they held."""
        rows = list(seen)
        keys = [each.partition for each in rows]
        for table in ("build.partitions", "build.files"):
            self._of_partitions(f"delete from {table}", keys)
        folders = [(p.partition, p.stamp) for p in rows if p.stamp is not None]
        self._insert(
            "build.partitions",
            {
                "table_name": [p.table for p, _ in folders],
                "day": [p.day for p, _ in folders],
                "modified_ns": [stamp.modified_ns for _, stamp in folders],
                "n_entries": [stamp.size for _, stamp in folders],
            },
        )
        files = [(p, name, stamp) for p in rows for name, stamp in p.files.items()]
        self._insert(
            "build.files",
            {
                "table_name": [p.partition.table for p, _, _ in files],
                "day": [p.partition.day for p, _, _ in files],
                "file_name": [name for _, name, _ in files],
                "modified_ns": [stamp.modified_ns for _, _, stamp in files],
                "size_bytes": [stamp.size for _, _, stamp in files],
                "is_awaited": [name in p.awaited for p, name, _ in files],
            },
        )

    def finish(self, inputs: BuiltInputs) -> None:
        """Write the record: all of the build ended well."""
        self._warehouse.execute("delete from build.state")
        self._warehouse.execute(
            "insert into build.state values ($as_of, $code_hash, $policy_hash, $tombstones_hash)",
            {name: getattr(inputs, name) for name in BuiltInputs.__slots__},
        )

    def _of_partitions(
        self, statement: str, partitions: Sequence[Partition]
    ) -> list[dict[str, Any]]:
        """Run a statement on the rows of some partitions."""
        tables = [each.table for each in partitions]
        days = [each.day for each in partitions]
        return (
            self._warehouse.rows(
                f"{statement} where (table_name, day) in (select unnest($tables), unnest($days))",
                {"tables": tables, "days": days},
            )
            if partitions
            else []
        )

    def _insert(self, table: str, columns: Mapping[str, list[Any]]) -> None:
        """Insert columns of one length."""
        if next(iter(columns.values())):
            self._warehouse.insert(table, pa.table(dict(columns)))
