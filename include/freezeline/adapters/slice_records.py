"""Which calls a lake row has to do with, as hashes: what a night's planner follows.

A link says that on a day there is a row of some trace, request, or name (of a response, of an
uploaded content, or of a conversation). Links hold no text and no id, only 64-bit hashes of them;
two ids of one hash make a night read a day too many, never one too few.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import IntEnum

from include.freezeline.contracts.lake import (
    CALL_EVENTS,
    EVALUATIONS,
    LEDGER,
    MESSAGE_CONTENTS,
    QUARANTINE,
    REDACTION_COUNTS,
    RETRIEVAL_DOCUMENTS,
    SOURCE_COUNTERS,
    SPANS,
    TOOL_CALLS,
)
from include.freezeline.facts.spec import FactSpec, fact_table

_NO_NAMES = "cast([] as varchar[])"


class Role(IntEnum):
    """What a row is to the calls."""

    TRACE = 0
    """A span, or what hangs on one."""
    EVALUATION = 1
    UPLOAD = 2
    """Content that calls refer to by its name."""
    OUTCOME = 3
    """A fact about a request, a run or a conversation."""
    COUNTER = 4
    INVOICE_LINE = 5
    SEGMENT = 6
    """A fact about a tenant or user from an instant on."""


@dataclass(frozen=True, slots=True)
class RecordSource:
    """How the rows of a lake table are read.

    Attributes:
        table: The lake table.
        event: SQL of when the row happened, which is its partition.
        known: SQL of when it is known, other than ``arrived_at``.
        role: SQL of its role.
        trace: SQL of the trace id.
        request: SQL of the request id, or of what else rows share across days.
        names: SQL of a list of names.
    """

    table: str
    event: str
    known: str
    role: str
    trace: str = "null"
    request: str = "null"
    names: str = _NO_NAMES

    def sql(self) -> str:
        """Return the query of the rows of a table in ``$files``."""
        return f"""
            select filename, cast({self.event} as date) as day,
                greatest(arrived_at, {self.known}) as known_at,
                cast({self.role} as utinyint) as role,
                {_hashed(self.trace)} as trace_hash, {_hashed(self.request)} as request_hash,
                {_hashed("name")} as name_hash
            from (
                select *, unnest(if(len(names) = 0, [null], names)) as name
                from (
                    select *, list_filter({self.names}, lambda each: each is not null) as names
                    from read_parquet($files, hive_partitioning = false, union_by_name = true,
                        filename = true)
                )
            )"""


def _hashed(expression: str) -> str:
    """Return the SQL of a hash; null of null."""
    return f"case when {expression} is not null then hash({expression}) end"


def _on_spans(table: str, event: str) -> RecordSource:
    """Describe rows that hang on spans."""
    return RecordSource(table, event, event, str(Role.TRACE.value), trace="trace_id")


TELEMETRY: tuple[RecordSource, ...] = (
    RecordSource(
        SPANS.name, "started_at", "started_at", str(Role.TRACE.value), "trace_id", "request_id",
        "[case when is_leaf_model_call then 'response ' || response_id end, "
        "'content ' || input_content_name, 'content ' || output_content_name, "
        "'session ' || session_key]",
    ),
    _on_spans(TOOL_CALLS.name, "called_at"),
    _on_spans(RETRIEVAL_DOCUMENTS.name, "retrieved_at"),
    _on_spans(CALL_EVENTS.name, "recorded_at"),
    RecordSource(
        MESSAGE_CONTENTS.name, "recorded_at", "recorded_at",
        f"case carrier when 'upload_object' then {Role.UPLOAD.value} else {Role.TRACE.value} end",
        "trace_id", names="['content ' || content_name]",
    ),
    RecordSource(
        EVALUATIONS.name, "evaluated_at", "evaluated_at", str(Role.EVALUATION.value), "trace_id",
        names="[case when span_id is null then 'response ' || response_id end]",
    ),
    RecordSource(
        SOURCE_COUNTERS.name, "measured_at", "measured_at", str(Role.COUNTER.value),
        request="series_hash",
    ),
)  # fmt: skip
BOOK_TABLES: tuple[str, ...] = (LEDGER.name, QUARANTINE.name, REDACTION_COUNTS.name)
"""Tables whose partition is the arrival date and whose rows are known when it is over."""
TRACE_TABLES: tuple[str, ...] = (
    SPANS.name, TOOL_CALLS.name, RETRIEVAL_DOCUMENTS.name, CALL_EVENTS.name,
)  # fmt: skip
INVOICE_TABLE = "fact_invoice_lines"


def record_sources(
    specs: Sequence[FactSpec], segments: Collection[str]
) -> dict[str, RecordSource | None]:
    """Return how to read every table; None for a fact that nobody told us how to follow.

    Args:
        specs: Every fact.
        segments: Tables of facts about a tenant or user.
    """
    sources: dict[str, RecordSource | None] = {source.table: source for source in TELEMETRY}
    return sources | {fact_table(spec).name: _fact_source(spec, segments) for spec in specs}


def _fact_source(spec: FactSpec, segments: Collection[str]) -> RecordSource | None:
    """Describe a fact: what it is about is calls, its invoice line or its segment."""
    table, columns = fact_table(spec).name, {column.output_name for column in spec.columns}
    times = (spec.event_time_column, spec.arrival_time_column)
    ids = spec.subject_ids
    if ids or "request_id" in columns:
        return RecordSource(
            table,
            *times,
            str(Role.OUTCOME.value),
            trace="trace_id" if "run_id" in ids else "null",
            request="request_id" if "request_id" in columns else "null",
            names="['session ' || session_key]" if "conversation_id" in ids else _NO_NAMES,
        )
    if table == INVOICE_TABLE:
        line = "provider || chr(31) || line_id"
        return RecordSource(table, *times, str(Role.INVOICE_LINE.value), request=line)
    if table in segments:
        return RecordSource(table, *times, str(Role.SEGMENT.value))
    return None
