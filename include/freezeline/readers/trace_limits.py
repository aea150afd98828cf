"""Traces are cut to size: a loop that ran ten thousand times is one row, not ten thousand.

Two limits hold inside one trace of one object. Spans of one parent, name and type beyond
``siblings`` collapse into the slowest of them, which counts them, adds up their durations and
counts their errors; what hung on the others hangs on it. Spans deeper than ``depth`` are counted
on the nearest ancestor that keeps its row. Model calls whose tokens count and spans with
evaluations always keep their row. The outcome depends on the spans, never on their order.

Only numbers are kept of a span while the object is read, some sixty bytes.
"""

import hashlib
import math
from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, PositiveInt

from include.freezeline.readers.names import ByNames, Names
from include.freezeline.readers.result import Row

_IS_PROTECTED, _IS_ERROR = 1, 2
_UNKNOWN_MS = -1.0
_NO_PARENT = "0" * 16
_NO_SPAN = 0  # no span has the id of all zeros


class TraceLimits(BaseModel):
    """The section ``trace_limits`` of ``config/landing.yml``.

    Attributes:
        siblings: Spans of one parent, name and type that keep a row each; more collapse into one.
        depth: Levels of a trace that keep rows; deeper spans are counted on their ancestor.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    siblings: PositiveInt = 1000
    depth: PositiveInt = 100


@dataclass(frozen=True, slots=True)
class TraceEdits:
    """What becomes of rows of traces that are too large.

    Attributes:
        dropped: Ordinals of records that keep no row of their own.
        changes: New values by column name, by ordinal of the record.
    """

    dropped: frozenset[int]
    changes: Mapping[int, Row]


class _Node(NamedTuple):
    """One distinct span; of several copies the longest speaks for all."""

    duration_ms: float
    kind: int
    parent: int
    flags: int


@dataclass(slots=True)
class _Summary:
    """What a row says of spans that have none."""

    parent: int | None = None
    collapsed: list[_Node] = field(default_factory=list)
    n_below: int = 0
    n_below_errors: int = 0

    def columns(self) -> Row:
        """Return the changed columns."""
        row: Row = {}
        if self.parent is not None:
            row["parent_span_id"] = f"{self.parent:016x}"
        if self.collapsed:
            known = [n.duration_ms for n in self.collapsed if n.duration_ms != _UNKNOWN_MS]
            row["collapsed_span_count"] = len(self.collapsed)
            row["collapsed_duration_sum_ms"] = math.fsum(known) if known else None
            row["collapsed_error_count"] = sum(n.flags & _IS_ERROR > 0 for n in self.collapsed)
        if self.n_below:
            row["summarised_descendant_count"] = self.n_below
            row["summarised_descendant_error_count"] = self.n_below_errors
        return row


def _numbers(ids: Iterable[str]) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """Return ids of 16 hex digits as numbers, those of 32 as two each."""
    return np.frombuffer(bytes.fromhex("".join(ids)), dtype=">u8").astype(np.uint64)


def _kind(named: Names) -> int:
    """Return a number for a span's name and type, the same in every process."""
    text = "\0".join(named).encode("utf-8", "surrogatepass")
    digest = hashlib.blake2b(text, digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


class TraceLimiter:
    """Notes the shape of an object's traces and says which rows they keep."""

    def __init__(self, limits: TraceLimits) -> None:
        """Start with no span seen."""
        self._limits = limits
        self._traces = (array("Q"), array("Q"))
        self._spans, self._parents = array("Q"), array("Q")
        self._kinds, self._offsets = array("q"), array("q")
        self._durations, self._flags = array("d"), array("B")
        self._judged: set[str] = set()
        self._kinds_of = ByNames(_kind)

    def note(self, tables: Mapping[str, list[Row]]) -> None:
        """Note the spans and evaluations of a batch."""
        rows = tables.get("spans", ())
        traces = _numbers(row["trace_id"] for row in rows)
        for part, numbers in zip(self._traces, (traces[::2], traces[1::2]), strict=True):
            part.frombytes(numbers.tobytes())
        self._spans.frombytes(_numbers(row["span_id"] for row in rows).tobytes())
        parents = _numbers(row["parent_span_id"] or _NO_PARENT for row in rows)
        self._parents.frombytes(parents.tobytes())
        kind = self._kinds_of
        self._kinds.extend([kind[row["span_name"], row["span_type"]] for row in rows])
        self._offsets.extend([row["source_offset"] for row in rows])
        self._durations.extend(
            [_UNKNOWN_MS if (ms := row["duration_ms"]) is None else ms for row in rows]
        )
        self._flags.extend(
            [
                (_IS_PROTECTED if row["is_leaf_model_call"] else 0)
                | (_IS_ERROR if row["status"] == "error" else 0)
                for row in rows
            ]
        )
        self._judged.update(
            f"{row.get('trace_id')}{row.get('span_id')}" for row in tables.get("evaluations", ())
        )

    def edits(self) -> TraceEdits | None:
        """Return what becomes of rows; None when every trace is small enough."""
        dropped: set[int] = set()
        changes: dict[int, Row] = {}
        for members in self._large_traces():
            offsets, nodes = self._nodes(members)
            trace = _Trace(nodes, self._limits)
            trace.cut()
            for span in trace.dropped:
                dropped.update(offsets[span])
            for span, summary in trace.summaries.items():
                columns = summary.columns() if span not in trace.dropped else {}
                changes.update(dict.fromkeys(offsets[span], columns) if columns else {})
        return TraceEdits(frozenset(dropped), changes) if dropped or changes else None

    def _large_traces(self) -> Iterable[Any]:
        """Yield the places of the spans of every trace that can exceed a limit."""
        least = min(self._limits.siblings, self._limits.depth)
        if len(self._spans) <= least:
            return
        high, low = (np.frombuffer(part, dtype=np.uint64) for part in self._traces)
        order = np.lexsort((low, high))
        is_new = (np.diff(high[order]) != 0) | (np.diff(low[order]) != 0)
        starts = np.concatenate(([0], np.flatnonzero(is_new) + 1, [len(order)]))
        for start, end in pairwise(starts):
            if end - start > least:
                yield order[start:end]

    def _nodes(self, members: Any) -> tuple[dict[int, list[int]], dict[int, _Node]]:
        """Return ordinals and shape of every distinct span of a trace."""
        offsets: dict[int, list[int]] = defaultdict(list)
        nodes: dict[int, _Node] = {}
        trace_id = f"{self._traces[0][members[0]]:016x}{self._traces[1][members[0]]:016x}"
        for place in members.tolist():
            span = self._spans[place]
            flags = self._flags[place]
            if f"{trace_id}{span:016x}" in self._judged:
                flags |= _IS_PROTECTED
            node = _Node(self._durations[place], self._kinds[place], self._parents[place], flags)
            known = nodes.get(span)
            if known is not None:
                node = max(node, known)._replace(flags=node.flags | known.flags)
            nodes[span] = node
            offsets[span].append(self._offsets[place])
        return offsets, nodes


class _Trace:
    """One trace on its way to its allowed size, level by level from the roots."""

    def __init__(self, nodes: Mapping[int, _Node], limits: TraceLimits) -> None:
        """Take the spans by id."""
        self._nodes = nodes
        self._limits = limits
        self._children: dict[int, list[int]] = defaultdict(list)
        self.dropped: set[int] = set()
        self.summaries: dict[int, _Summary] = defaultdict(_Summary)

    def cut(self) -> None:
        """Decide about every span."""
        level = [(root, _NO_SPAN) for root in self._roots()]
        depth = 1
        while level:
            keeper = self._shorten(level) if depth > self._limits.depth else self._narrow(level)
            level = [(child, keeper[span]) for span, _ in level for child in self._children[span]]
            depth += 1

    def _roots(self) -> list[int]:
        """Return spans whose parent is not here, and one span of every circle of parents."""
        roots: list[int] = []
        for span in sorted(self._nodes):
            parent = self._nodes[span].parent
            if parent in self._nodes:
                self._children[parent].append(span)
            else:
                roots.append(span)
        reached = self._below(roots)
        for span in sorted(self._nodes):
            if span not in reached:
                root = self._least_of_circle(span)
                self._children[self._nodes[root].parent].remove(root)
                roots.append(root)
                reached |= self._below([root])
        return roots

    def _below(self, spans: Iterable[int]) -> set[int]:
        """Return spans and all that hangs on them."""
        waiting = list(spans)
        found = set(waiting)
        while waiting:
            for child in self._children[waiting.pop()]:
                if child not in found:
                    found.add(child)
                    waiting.append(child)
        return found

    def _least_of_circle(self, span: int) -> int:
        """Return the least id of the circle that a span's ancestors end in."""
        seen: dict[int, None] = {}
        while span not in seen:
            seen[span] = None
            span = self._nodes[span].parent
        path = list(seen)
        return min(path[path.index(span) :])

    def _narrow(self, level: list[tuple[int, int]]) -> dict[int, int]:
        """Collapse siblings of a level; return the span that keeps each one's children."""
        groups: dict[tuple[int, int], list[int]] = defaultdict(list)
        keeper: dict[int, int] = {}
        for span, parent in level:
            keeper[span] = span
            self._hang(span, parent)
            node = self._nodes[span]
            if not node.flags & _IS_PROTECTED:
                # Roots are siblings when they name the same parent, which may be in another object.
                groups[parent or node.parent, node.kind].append(span)
        for members in groups.values():
            if len(members) > self._limits.siblings:
                slowest = max(members, key=lambda span: (self._nodes[span].duration_ms, span))
                self.summaries[slowest].collapsed = [self._nodes[span] for span in members]
                self.dropped.update(members)
                self.dropped.discard(slowest)
                keeper.update(dict.fromkeys(members, slowest))
        return keeper

    def _shorten(self, level: list[tuple[int, int]]) -> dict[int, int]:
        """Count a level that is too deep on its ancestors; return who keeps each one's children."""
        keeper: dict[int, int] = {}
        for span, parent in level:
            if self._nodes[span].flags & _IS_PROTECTED:
                keeper[span] = span
                self._hang(span, parent)
                continue
            keeper[span] = parent
            self.dropped.add(span)
            self.summaries[parent].n_below += 1
            self.summaries[parent].n_below_errors += self._nodes[span].flags & _IS_ERROR > 0
        return keeper

    def _hang(self, span: int, parent: int) -> None:
        """Note a new parent where the span's own has no row."""
        if parent and parent != self._nodes[span].parent:
            self.summaries[span].parent = parent
