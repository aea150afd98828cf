"""Rows of erased people on their way into the lake: dropped and counted, whatever object they are in.

A trace may turn out to be theirs after rows of it were taken, since only one of its spans need
name them; those rows are dropped when the object ends.
"""

from collections.abc import Callable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from include.freezeline.erasure.subject import SubjectKind
from include.freezeline.erasure.tombstones import Tombstones
from include.freezeline.landing.records import ERASED, LANDED, Fates, Row

_TEXTS = ("detail_redacted", "sample_redacted")


class ErasedRows:
    """Keeps the rows of erased people out of one object."""

    def __init__(self, tombstones: Tombstones, fates: Fates) -> None:
        """Ask these tombstones, and note here what became of records."""
        self._tombstones = tombstones
        self._fates = fates
        self._traces: dict[SubjectKind, set[str]] = {}

    def without(self, data: pa.Table, event_column: str) -> pa.Table:
        """Return the rows that may land."""
        masks = []
        for kind, mask in self._tombstones.of_subjects(data, event_column).items():
            masks.append(mask)
            if "trace_id" in data.column_names:
                traces = pc.unique(data["trace_id"].filter(mask)).to_pylist()
                self._traces.setdefault(kind, set()).update(t for t in traces if t is not None)
        hanging = self._tombstones.of_ids(data, event_column)
        if hanging is not None:
            masks.append(hanging)
        for mask in masks[1:]:
            masks[0] = pc.or_(masks[0], mask)
        return self._drop(data, masks[0]) if masks else data

    def without_quotes(self, rows: Sequence[Row]) -> tuple[Row, ...]:
        """Return quarantined rows without texts that quote an id of an erased subject."""
        return tuple(
            row | {name: None for name in _TEXTS if self._tombstones.are_quoted_in(row[name])}
            for row in rows
        )

    def last_edit(self) -> Callable[[pa.Table], pa.Table] | None:
        """Return what to do to the rows taken so far; None when there is nothing to do."""
        return self._without_traces if self._traces else None

    def _without_traces(self, data: pa.Table) -> pa.Table:
        """Return rows without those of the traces that turned out to be erased people's."""
        for kind, traces in self._traces.items():
            if "trace_id" in data.column_names:
                mask = self._tombstones.in_traces(data, kind, pa.array(sorted(traces), pa.string()))
                data = self._drop(data, mask)
        return data

    def _drop(self, data: pa.Table, mask: pa.Array) -> pa.Table:
        """Return rows where the mask is false, and count the others."""
        dropped = data.filter(mask)["source_offset"].to_pylist()
        if not dropped:
            return data
        self._fates.mark(dropped, LANDED | ERASED)
        return data.filter(pc.invert(mask))
