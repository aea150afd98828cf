"""A subject's rows in Parquet files: the lake, and the archive beside it."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from include.freezeline.adapters.erasure_session import ErasureSession, parquet_relation
from include.freezeline.adapters.lake import Lake
from include.freezeline.adapters.lake_tiers import drop_numbered_rows
from include.freezeline.contracts.arrow import arrow_schema
from include.freezeline.contracts.lake import QUARANTINE, SPANS
from include.freezeline.erasure.matching import TableShape
from include.freezeline.erasure.quotes import Quotes
from include.freezeline.erasure.receipt import HELD, Finding

_TEXTS = {"input_text_redacted", "output_text_redacted", "text_redacted"}


class ParquetStore:
    """The lake or the archive, as an erasure sees it."""

    def __init__(
        self,
        session: ErasureSession,
        root: Path,
        name: str,
        event_columns: Mapping[str, str],
    ) -> None:
        """Look at the files below a folder.

        Args:
            session: What is known of the subject.
            root: The folder.
            name: What findings call it.
            event_columns: When a row happened, by table.
        """
        self._session = session
        self._lake = Lake(root)
        self._name = name
        self._event_columns = event_columns
        self._dropped: set[tuple[str, int]] = set()

    def relations(self) -> list[str]:
        """Return every table that has files."""
        return [relation for _, relation, _ in self._tables()]

    def find(self) -> list[Finding]:
        """Count the subject's rows by table."""
        found = []
        for table, relation, shape in self._tables():
            n_found, n_held = self._count(relation, shape)
            if n_found or n_held:
                store = f"{self._name}/{table}"
                found.append(Finding(store, n_found, n_held, HELD if n_held else ""))
        return found

    def texts(self) -> Iterator[str]:
        """Yield the subject's texts."""
        for _, relation, shape in self._tables():
            yield from texts_of(self._session, relation, shape)

    def erase(self) -> Iterator[Finding]:
        """Take the rows out of their files, and say after each table what was done."""
        for table, relation, shape in list(self._tables()):
            _, n_held = self._count(relation, shape)
            hits = self._hits(relation, shape)
            for file, rows in hits.items():
                drop_numbered_rows(Path(file), [number for number, *_ in rows])
                if table != QUARANTINE.name:
                    self._dropped |= {(key, offset) for _, key, offset in rows}
            n_rows = sum(map(len, hits.values()))
            if n_rows or n_held:
                store, reason = f"{self._name}/{table}", HELD if n_held else ""
                yield Finding(store, n_rows, n_held, reason, n_rows)

    def lost_records(self) -> dict[str, int]:
        """Count the records of each object that have lost their last row."""
        lost = set(self._dropped)
        keys = sorted({key for key, _ in lost})
        for table, relation, _ in self._tables() if keys else ():
            if table != QUARANTINE.name:
                lost -= set(
                    self._session.execute(
                        f"select distinct source_object, source_offset from {relation} "
                        "where source_object in (select unnest(?))",
                        [keys],
                    )
                )
        return Counter(key for key, _ in lost)

    def note_quotes(self, quotes: Quotes) -> None:
        """Find quarantined records that quote the subject's ids."""
        files = [file.path for file in self._lake.files(QUARANTINE.name)]
        names = ["source_object", "source_offset", "detail_redacted", "sample_redacted"]
        rows = [row for file in files for row in pq.read_table(file, columns=names).to_pylist()]
        quoted = [row for row in rows if quotes.are_in(row["detail_redacted"])
                  or quotes.are_in(row["sample_redacted"])]  # fmt: skip
        schema = pa.schema([("source_object", pa.string()), ("source_offset", pa.int64())])
        picked = [{name: row[name] for name in schema.names} for row in quoted]
        self._session.insert("quoted", pa.Table.from_pylist(picked, schema=schema))

    def _tables(self) -> Iterator[tuple[str, str, TableShape]]:
        """Yield each table that has files and may hold rows of people, as name, relation, shape."""
        for table in self._lake.table_names():
            files = [file.path for file in self._lake.files(table)]
            if files:
                relation = parquet_relation(files)
                shape = self._session.shape(relation, self._event_columns.get(table))
                if self._session.condition(shape) is not None:
                    yield table, relation, shape

    def _count(self, relation: str, shape: TableShape) -> tuple[int, int]:
        """Count the rows to erase and those that a hold keeps."""
        counts = []
        for is_held in (False, True):
            where = self._session.condition(shape, is_held=is_held) or "false"
            counts.append(self._session.execute(f"select count(*) from {relation} where {where}"))
        return int(counts[0][0][0]), int(counts[1][0][0])

    def _hits(self, relation: str, shape: TableShape) -> dict[str, list[tuple[int, str, int]]]:
        """Return the places of the rows to erase and their records, by file."""
        hits: dict[str, list[tuple[int, str, int]]] = defaultdict(list)
        for file, number, key, offset in self._session.execute(
            "select filename, file_row_number, source_object, source_offset "
            f"from {relation} where {self._session.condition(shape)} order by 1, 2"
        ):
            hits[file].append((number, key, offset))
        return hits


def spans_relation(*roots: Path) -> str:
    """Return all spans of the lake and the archive as one relation; empty when there are none."""
    files = [file.path for root in roots for file in Lake(root).files(SPANS.name)]
    if files:
        return parquet_relation(files)
    columns = ", ".join(
        f"cast(null as {'timestamptz' if field.name.endswith('_at') else 'varchar'}) as {field.name}"
        for field in arrow_schema(SPANS)
    )
    return f"(select {columns} where false)"


def texts_of(session: ErasureSession, relation: str, shape: TableShape) -> Iterator[str]:
    """Yield the subject's plain texts in a relation."""
    where = session.condition(shape)
    for column in sorted(_TEXTS & shape.columns):
        sql = f"select distinct {column} from {relation} where {where} and {column} is not null"
        yield from (row[0] for row in session.execute(sql))
