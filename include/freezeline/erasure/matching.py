"""Which rows are a subject's, as SQL conditions over whatever columns a table has.

One rule serves the lake, the archive, the warehouse and its snapshots. A row is theirs when it
names them; when it hangs on a trace of theirs and names nobody else; or when, naming nobody, it
shares a session, request, response or uploaded content with them that nobody else shares. The
conditions read small tables that :mod:`include.freezeline.adapters.erasure_session` fills.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from include.freezeline.erasure.subject import SubjectKind, own_column
from include.freezeline.retention.policy import ANY_ENVIRONMENT, LegalHold

# When a row happened, by the first of these columns that its table has.
_EVENT_COLUMNS = (
    "started_at", "called_at", "evaluated_at", "retrieved_at", "measured_at", "assigned_at",
    "escalated_at", "overridden_at", "converted_at", "valid_from_at", "recorded_at",
)  # fmt: skip
# Rows about a whole hour or day, among which there may be later events.
_PERIOD_COLUMNS = ("call_date", "hour_started_at", "period_started_at")
_QUOTED = {"source_object", "source_offset", "sample_redacted"}


@dataclass(frozen=True, slots=True)
class TableShape:
    """What matching needs to know of a table.

    Attributes:
        columns: Its columns.
        event_column: When a row happened; None when nothing says so.
    """

    columns: frozenset[str]
    event_column: str | None


def shape_of(columns: Collection[str], event_column: str | None = None) -> TableShape:
    """Describe a table; without an event column the first known one is taken."""
    known = (name for name in (*_EVENT_COLUMNS, *_PERIOD_COLUMNS) if name in columns)
    found = event_column or next(known, None)
    return TableShape(frozenset(columns), found)


def match_sql(
    shape: TableShape, kind: SubjectKind, holds: Sequence[LegalHold], *, is_held: bool = False
) -> str | None:
    """Return the condition of the rows to erase; None when no row of the table can be one.

    Args:
        shape: The table.
        kind: Kind of the subject.
        holds: Legal holds, which win.
        is_held: Whether to give the rows that a hold keeps instead.
    """
    loose = [
        *_own(shape, kind),
        *(f"({part} and {_names_nobody(shape, kind)})" for part in _shared(shape, kind)),
    ]
    held = _held(shape, holds)
    if is_held:
        parts = [f"(({' or '.join(loose)}) and {held})"] if loose else []
        parts += _of_trace(shape, kind, "held_traces")
    else:
        free = f" and not ({held}) and {_not_in_held_trace(shape)}"
        parts = [f"(({' or '.join(loose)}){free})"] if loose else []
        parts += _of_trace(shape, kind, "theirs_trace_id")
        parts += _derived(shape)
    return f"coalesce({' or '.join(parts)}, false)" if parts else None


def names_them_sql(shape: TableShape, kind: SubjectKind) -> str:
    """Return the condition of rows that name a subject and happened before its time."""
    return f"coalesce({' or '.join(_own(shape, kind)) or 'false'}, false)"


def held_sql(shape: TableShape, holds: Sequence[LegalHold]) -> str:
    """Return the condition of rows that a legal hold covers."""
    return f"coalesce({_held(shape, holds)}, false)"


def in_session_sql(event_column: str | None) -> str:
    """Return the condition of rows of a session that is the subject's alone, up to its time."""
    if event_column is None:
        return "session_key in (select id from theirs_session_key)"
    return (
        "exists (select 1 from theirs_session_key as their where their.id = session_key and "
        f"cast({event_column} as timestamptz) < their.before_at)"
    )


def _own(shape: TableShape, kind: SubjectKind) -> list[str]:
    """Rows that name a subject; where nothing says when, those of subjects that did not come back."""
    column = own_column(kind)
    if column not in shape.columns:
        return []
    if shape.event_column is None:
        return [f"{column} in (select id from own where is_gone)"]
    before = f"cast({shape.event_column} as timestamptz) < own.before_at"
    if shape.event_column in _PERIOD_COLUMNS:
        day_before = f"cast({shape.event_column} as date) < cast(own.before_at as date)"
        before = f"(own.is_gone or {day_before})"
    return [f"exists (select 1 from own where own.id = {column} and {before})"]


def _of_trace(shape: TableShape, kind: SubjectKind, table: str) -> list[str]:
    """Rows of traces, but those that name somebody else."""
    if "trace_id" not in shape.columns:
        return []
    return [f"(trace_id in (select id from {table}) and {_names_nobody(shape, kind)})"]


def _shared(shape: TableShape, kind: SubjectKind) -> list[str]:
    """Rows that share a session, request, response, call or content with the subject."""
    parts = []
    if "session_key" in shape.columns and (kind == "user" or _is_outcome(shape, kind)):
        parts.append(in_session_sql(shape.event_column))
    if "request_id" in shape.columns:
        parts.append("request_id in (select id from theirs_request_id)")
    if "response_id" in shape.columns:
        alone = "span_id is null and " if "span_id" in shape.columns else ""
        parts.append(f"({alone}response_id in (select id from theirs_response_id))")
    if {"call_key", "trace_id"} <= shape.columns:
        parts.append("(trace_id is null and call_key in (select id from theirs_call_key))")
    if "content_name" in shape.columns:
        alone = "trace_id is null and " if "trace_id" in shape.columns else ""
        parts.append(f"({alone}content_name in (select id from theirs_content_name))")
    return parts


def _is_outcome(shape: TableShape, kind: SubjectKind) -> bool:
    """The table may know only by a conversation, which is a customer's, whose a row is."""
    is_of_span = "span_id" in shape.columns or "trace_id" not in shape.columns
    is_matched = "matched_by" in shape.columns
    return (
        kind == "tenant"
        and not is_of_span
        and (is_matched or own_column(kind) not in shape.columns)
    )


def _derived(shape: TableShape) -> list[str]:
    """Rows of the warehouse that know a call, or a quarantined record, by key alone."""
    parts = []
    if "call_key" in shape.columns and "trace_id" not in shape.columns:
        parts.append("call_key in (select id from theirs_call_key)")
    if "dimension_value" in shape.columns:
        parts.append("dimension_value in (select id from own where is_gone)")
    if shape.columns >= _QUOTED:
        parts.append(
            "(source_object, source_offset) in (select source_object, source_offset from quoted)"
        )
    return parts


def _names_nobody(shape: TableShape, kind: SubjectKind) -> str:
    """The row names nobody else, neither itself nor through its span."""
    column = own_column(kind)
    parts = []
    if column in shape.columns:
        parts.append(f"({column} is null or {column} in (select id from own))")
    if {"trace_id", "span_id"} <= shape.columns:
        parts.append(
            "(coalesce(trace_id, ''), coalesce(span_id, '')) not in "
            "(select trace_id, span_id from others)"
        )
    return " and ".join(parts) or "true"


def _not_in_held_trace(shape: TableShape) -> str:
    """The row is of no trace that a hold covers."""
    if "trace_id" not in shape.columns:
        return "true"
    return "coalesce(trace_id, '') not in (select id from held_traces)"


def _held(shape: TableShape, holds: Sequence[LegalHold]) -> str:
    """A legal hold covers the row; one of an unknown environment is covered by every hold."""
    if shape.event_column is None or not holds:
        return "false"
    parts = []
    for hold in holds:
        dates = (
            f"cast({shape.event_column} as date) between date '{hold.from_date}' "
            f"and date '{hold.to_date}'"
        )
        if "environment" in shape.columns and hold.environment != ANY_ENVIRONMENT:
            name = hold.environment.replace("'", "''")
            dates += f" and (environment is null or environment in ('*', '{name}'))"
        parts.append(f"({dates})")
    return " or ".join(parts)
