"""Rows of Langfuse's scheduled blob export: observations and traces.

Rows are recognised by their columns, never by the path, and only the core columns are certain to
be there. Observations and traces become spans with the attributes that Langfuse's SDKs write, so
that the dialect reads both ways alike.

A row of the table traces becomes a span of its own, of type ``workflow``, that carries no tokens
and no cost. It has no end, and an id that no observation has. Observations without a parent do not
hang on it: the table is optional, and the same observations sent over OTLP have no such parent.
"""

from collections.abc import Iterator
from typing import Any

from include.freezeline.readers import langfuse_names as names
from include.freezeline.readers.costs import to_cost_usd
from include.freezeline.readers.foreign_ids import (
    foreign_span_id,
    foreign_trace_id,
    whole_trace_span_id,
)
from include.freezeline.readers.langfuse_cells import (
    ExportRow,
    decoded,
    given_mapping,
    given_values,
)
from include.freezeline.readers.langfuse_ingested import ingested_origin
from include.freezeline.readers.otlp import Attributes, Span
from include.freezeline.readers.privacy import without_blocked
from include.freezeline.readers.records import Record, Refused
from include.freezeline.readers.rules import BlockList
from include.freezeline.readers.times import any_time_ns
from include.freezeline.readers.values import (
    to_boolean,
    to_integer,
    to_number,
    to_text,
)

_OBSERVATION_CORE = frozenset({"id", "trace_id", "start_time", "type"})
_OBSERVATION_SIGNS = frozenset({"parent_observation_id", "project_id"})
_TRACE_CORE = frozenset({"id", "timestamp", "project_id"})
_TRACE_SIGNS = frozenset({"session_id", "user_id", "bookmarked", "public", "tags", "release"})
_LEAST_SIGNS = 3  # an interaction log may have one or two of them
_MANIFEST_CORE = frozenset({"projectId", "exportSource", "files"})
_STATUS_ERROR = 2
_ATTRIBUTES = {
    "level": names.LEVEL,
    "status_message": names.STATUS_MESSAGE,
    "input": names.INPUT,
    "output": names.OUTPUT,
    "provided_model_name": names.MODEL,
    "prompt_name": names.PROMPT_NAME,
    "prompt_version": names.PROMPT_VERSION,
    "environment": "langfuse.environment",
    "release": "langfuse.release",
    "version": "langfuse.version",
    "user_id": "user.id",
    "session_id": "session.id",
    "trace_name": names.TRACE_NAME,
    "completion_start_time": names.FIRST_TOKEN_TIME,
}
_JSON_ATTRIBUTES = {
    "tags": names.TRACE_TAGS,
    "model_parameters": names.PARAMETERS,
    "tool_calls": names.TOOL_CALLS,
    "tool_call_names": names.TOOL_CALL_NAMES,
    "tool_definitions": "langfuse.observation.tool_definitions",
}
_FLAGS = ("public", "bookmarked", "is_root_observation")
# Said otherwise, or about the row in Langfuse's database rather than the call.
_LEFT_OUT = frozenset(
    {
        "id", "trace_id", "parent_observation_id", "project_id", "type", "name", "start_time",
        "end_time", "timestamp", "created_at", "updated_at", "event_ts", "is_deleted", "latency",
        "time_to_first_token", "usage_details", "cost_details", "total_cost", "metadata",
        "input_price", "output_price", "total_price", *_FLAGS,
    }
)  # fmt: skip
_S_TO_MS = 1000.0
_NS_PER_S = 1e9
# A column that only observations_v2 has; its latencies may be milliseconds.
_V2_SIGNS = ("user_id", "session_id", "trace_name", "is_root_observation", "bookmarked")


def is_observation(document: Any) -> bool:
    """Return whether a row is one of the tables observations or observations_v2."""
    return (
        isinstance(document, dict)
        and document.keys() >= _OBSERVATION_CORE
        and bool(document.keys() & _OBSERVATION_SIGNS)
    )


def is_trace(document: Any) -> bool:
    """Return whether a row is one of the table traces."""
    return (
        isinstance(document, dict)
        and document.keys() >= _TRACE_CORE
        and not document.keys() & {"trace_id", "data_type", "start_time"}
        and len(document.keys() & _TRACE_SIGNS) >= _LEAST_SIGNS
    )


def is_manifest(document: Any) -> bool:
    """Return whether a document lists the files of an export."""
    return isinstance(document, dict) and document.keys() >= _MANIFEST_CORE


def read_observation(_: str, document: ExportRow, blocked: BlockList) -> Iterator[Record]:
    """Yield an observation as a span."""
    row = given_values(document)
    start_ns, end_ns = any_time_ns(row.get("start_time")), any_time_ns(row.get("end_time"))
    attributes = _attributes(row)
    attributes[names.EXPORT_TABLE] = "observations"
    attributes[names.TYPE] = (to_text(row.get("type")) or "span").lower()
    attributes[names.USAGE] = _numbers(row.get("usage_details"), to_integer)
    attributes[names.COST] = _costs(row)
    attributes[names.FIRST_TOKEN_MS] = _first_token_ms(row, (end_ns - start_ns) / _NS_PER_S)
    yield _span(
        row,
        attributes,
        blocked,
        trace_id=foreign_trace_id(row.get("trace_id")),
        span_id=foreign_span_id(row.get("id")),
        times=(start_ns, end_ns),
    )


def read_trace(_: str, document: ExportRow, blocked: BlockList) -> Iterator[Record]:
    """Yield a trace as a span of its own."""
    row = given_values(document)
    attributes = _attributes(row)
    attributes[names.EXPORT_TABLE] = "traces"
    attributes[names.TYPE] = "trace"
    yield _span(
        row,
        attributes,
        blocked,
        trace_id=foreign_trace_id(row.get("id")),
        span_id=whole_trace_span_id(row.get("id")),
        times=(any_time_ns(row.get("timestamp")), 0),
    )


def read_manifest(_: str, __: Any, ___: BlockList) -> Iterator[Record]:
    """Yield why the list of an export's files is not landed: the files account for themselves."""
    yield Refused("unsupported_document:langfuse_manifest", "lists the files of an export")


def _span(
    row: ExportRow,
    attributes: Attributes,
    blocked: BlockList,
    *,
    trace_id: str,
    span_id: str,
    times: tuple[int, int],
) -> Span:
    """Return a row as a span."""
    for column, ours in (("id", span_id), ("trace_id", trace_id)):
        given = to_text(row.get(column))
        if given is not None and given.lower() not in (ours, trace_id):  # to find it in Langfuse
            attributes[f"langfuse.export.{column}"] = given
    metadata = given_mapping(row.get("metadata"))
    origin = ingested_origin(metadata, attributes, row.get("project_id"), blocked)
    attributes["metadata"] = metadata
    kept = {
        name: value
        for name, value in attributes.items()
        if value is not None and value != {} and name not in blocked
    }
    failed = (to_text(row.get("level")) or "").upper() == names.ERROR_LEVEL
    return Span(
        origin=origin,
        trace_id=trace_id,
        span_id=span_id,
        parent_span_id=foreign_span_id(row.get("parent_observation_id")),
        trace_state="",
        name=to_text(row.get("name")) or "",
        kind=0,
        start_ns=times[0],
        end_ns=times[1],
        attributes=without_blocked(kept, blocked),
        events=(),
        links=(),
        status_code=_STATUS_ERROR if failed else 0,
        status_message=(to_text(row.get("status_message")) or "") if failed else "",
    )


def _attributes(row: ExportRow) -> Attributes:
    """Return a row's columns under the names of the SDKs; unknown columns keep theirs."""
    attributes: Attributes = {}
    for column, value in row.items():
        if column in _ATTRIBUTES:
            attributes[_ATTRIBUTES[column]] = value
        elif column in _JSON_ATTRIBUTES:
            attributes[_JSON_ATTRIBUTES[column]] = decoded(value) or None
        elif column not in _LEFT_OUT:
            attributes[f"langfuse.export.{column}"] = value
    for flag in _FLAGS:
        if to_boolean(row.get(flag)):
            attributes[f"langfuse.export.{flag}"] = True
    return attributes


def _first_token_ms(row: ExportRow, duration_s: float) -> float | None:
    """Return the time to the first token when only the metrics name it.

    The table observations has seconds. Older set-ups of observations_v2 have milliseconds, which
    the latency beside it shows: it is the duration in the same unit.
    """
    reported = to_number(row.get("time_to_first_token"))
    if reported is None or "completion_start_time" in row:
        return None
    latency = to_number(row.get("latency"))
    if latency is None or latency <= 0 or duration_s <= 0:
        is_v2 = any(column in row for column in _V2_SIGNS)
        return None if is_v2 else reported * _S_TO_MS
    is_ms = abs(latency - duration_s * _S_TO_MS) < abs(latency - duration_s)
    return reported if is_ms else reported * _S_TO_MS


def _costs(row: ExportRow) -> dict[str, Any] | None:
    """Return the costs by type, with the total."""
    costs = _numbers(row.get("cost_details"), _cost) or {}
    total = _cost(row.get("total_cost"))
    if total is not None:
        costs.setdefault("total", total)
    return costs or None


def _cost(value: Any) -> float | None:
    """Return a cost as a number, however the file writes it."""
    cost = to_cost_usd(value)
    return None if cost is None else float(cost)


def _numbers(value: Any, convert: Any) -> dict[str, Any] | None:
    """Return a mapping's numbers; text formats may quote them."""
    found = {name: convert(number) for name, number in given_mapping(value).items()}
    return {name: number for name, number in found.items() if number is not None} or None
