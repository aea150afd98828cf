"""Tombstones: what was erased and may not come back, by digest; asked for every row that lands.

A tombstone of a person, session or tenant holds for events before its time only, so that someone
who uses the product again afterwards is seen again. One of a trace, request, response or uploaded
content holds always: those were theirs.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from include.freezeline.erasure.quotes import words_of
from include.freezeline.erasure.subject import Digester, IdKind, SubjectKind, own_column
from include.freezeline.retention.policy import LegalHold

_Times = Mapping[str, datetime | None]


@dataclass(frozen=True, slots=True)
class Tombstone:
    """One thing that may not come back.

    Attributes:
        subject_kind: Whose erasure it belongs to.
        id_kind: What kind of id it is.
        digest: Digest of the id.
        before_at: Events before this time stay away; None for all.
    """

    subject_kind: SubjectKind
    id_kind: IdKind
    digest: str
    before_at: datetime | None


class Tombstones:
    """All tombstones, ready to be asked about rows."""

    def __init__(
        self, stones: Iterable[Tombstone], digester: Digester, holds: Sequence[LegalHold] = ()
    ) -> None:
        """Index the stones; rows under a legal hold are let through."""
        self._digester = digester
        self._holds = tuple(holds)
        self._known: dict[tuple[SubjectKind, IdKind], dict[str, datetime | None]] = defaultdict(
            dict
        )
        for stone in stones:
            times = self._known[stone.subject_kind, stone.id_kind]
            times[stone.digest] = _later(times.get(stone.digest, stone.before_at), stone.before_at)
        self._kinds = sorted({kind for kind, _ in self._known})

    def of_subjects(self, data: pa.Table, event_column: str) -> dict[SubjectKind, pa.Array]:
        """Return which rows name somebody who was erased, by kind of subject; all false is left out."""
        found = {}
        for kind in self._kinds:
            column = own_column(kind)
            mask = self._before(data, kind, column, event_column)
            if mask is not None:
                found[kind] = _and_not(mask, self._held(data, event_column))
        return {kind: mask for kind, mask in found.items() if _any(mask)}

    def of_ids(self, data: pa.Table, event_column: str) -> pa.Array | None:
        """Return which rows hang on something that was erased and name nobody else; None is none."""
        masks = [self._of_ids(data, kind, event_column) for kind in self._kinds]
        found = [mask for mask in masks if mask is not None]
        return reduce(pc.or_, found) if found else None

    def in_traces(self, data: pa.Table, kind: SubjectKind, traces: pa.Array) -> pa.Array:
        """Return which rows are of the given traces and name nobody but an erased subject."""
        mask = pc.is_in(data["trace_id"], value_set=traces).combine_chunks()
        return pc.and_(mask, self._names_nobody_else(data, kind))

    def are_quoted_in(self, text: str | None) -> bool:
        """Whether a text quotes an id that has a tombstone."""
        words = words_of(text) if text else set()
        return any(
            self._digester.digest(id_kind, word) in known
            for (_, id_kind), known in self._known.items()
            for word in words
        )

    def _of_ids(self, data: pa.Table, kind: SubjectKind, event_column: str) -> pa.Array | None:
        """Return the rows of one kind of subject that hang on what was erased."""
        columns = set(data.column_names)
        parts = []
        for id_kind in ("trace_id", "request_id", "response_id", "content_name"):
            mask = self._hits(data, kind, id_kind)
            if mask is None:
                continue
            if id_kind == "response_id" and "span_id" in columns:
                mask = pc.and_(mask, _null(data, "span_id"))
            if id_kind == "content_name" and "trace_id" in columns:
                mask = pc.and_(mask, _null(data, "trace_id"))
            parts.append(mask)
        # Outcomes may say by their conversation alone which customer's they are.
        is_outcome = "span_id" not in columns and own_column(kind) not in columns
        if kind == "user" or (kind == "tenant" and is_outcome):
            in_session = self._before(data, kind, "session_key", event_column)
            if in_session is not None:
                parts.append(_and_not(in_session, self._held(data, event_column)))
        if not parts:
            return None
        found = pc.and_(reduce(pc.or_, parts), self._names_nobody_else(data, kind))
        return _and_not(found, self._hits(data, kind, "span_id"))

    def _names_nobody_else(self, data: pa.Table, kind: SubjectKind) -> pa.Array:
        """Return which rows name nobody, or somebody who was erased."""
        column = own_column(kind)
        if column not in data.column_names:
            return _constant(data.num_rows, value=True)
        nobody, own = _null(data, column), self._hits(data, kind, column)
        return nobody if own is None else pc.or_(nobody, own)

    def _hits(self, data: pa.Table, kind: SubjectKind, id_kind: IdKind) -> pa.Array | None:
        """Return which rows have an id that has a tombstone; None when none has."""
        values = self._values(data, kind, id_kind)
        if not values:
            return None
        return pc.is_in(
            data[id_kind], value_set=pa.array(sorted(values), pa.string())
        ).combine_chunks()

    def _before(
        self, data: pa.Table, kind: SubjectKind, id_kind: IdKind, event_column: str
    ) -> pa.Array | None:
        """Return which rows have an id with a tombstone and happened before its time."""
        parts = []
        for value, before_at in self._values(data, kind, id_kind).items():
            mask = pc.equal(data[id_kind], value)
            if before_at is not None:
                limit = pa.scalar(before_at, data.schema.field(event_column).type)
                mask = pc.and_(mask, pc.less(data[event_column], limit))
            parts.append(pc.fill_null(mask, False).combine_chunks())  # noqa: FBT003 - its value
        return reduce(pc.or_, parts) if parts else None

    def _values(self, data: pa.Table, kind: SubjectKind, id_kind: IdKind) -> _Times:
        """Return the values of a column that have a tombstone, with their times."""
        known = self._known.get((kind, id_kind))
        if not known or id_kind not in data.column_names:
            return {}
        values = pc.unique(data[id_kind]).to_pylist()
        digest = self._digester.digest
        pairs = ((value, digest(id_kind, value)) for value in values if value is not None)
        return {value: known[made] for value, made in pairs if made in known}

    def _held(self, data: pa.Table, event_column: str) -> pa.Array | None:
        """Return which rows a legal hold covers; None without holds."""
        if not self._holds:
            return None
        days = pc.cast(data[event_column], pa.date32()).to_pylist()
        names = data["environment"].to_pylist() if "environment" in data.column_names else None
        return pa.array(
            [
                any(hold.covers(day, names[n] if names else "*") for hold in self._holds)
                for n, day in enumerate(days)
            ]
        )


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    """Return the later of two times; None is later than any."""
    return None if one is None or other is None else max(one, other)


def _and_not(mask: pa.Array, other: pa.Array | None) -> pa.Array:
    """Return where the first holds and the second does not."""
    return mask if other is None else pc.and_(mask, pc.invert(other))


def _null(data: pa.Table, column: str) -> pa.Array:
    """Return where a column is null."""
    return data[column].is_null().combine_chunks()


def _any(mask: pa.Array) -> bool:
    """Whether anything is true."""
    return bool(pc.any(mask).as_py())


def _constant(n_rows: int, *, value: bool) -> Any:
    """Return one boolean for each row."""
    return pa.array([value] * n_rows, pa.bool_())
