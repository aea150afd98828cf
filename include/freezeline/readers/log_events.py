"""Log events: evaluation results, message contents, and what else is said about a call.

Plain log lines, and events that are not about generative AI, are not landed.
"""

import re
from typing import Any

from include.freezeline.readers.attributes import AttributeView
from include.freezeline.readers.details import leave_people_out
from include.freezeline.readers.evaluations import EVALUATION_EVENTS, read_log_evaluation
from include.freezeline.readers.jsontext import parse_json_text
from include.freezeline.readers.log_messages import (
    ANSWER_EVENT,
    DETAILS_EVENTS,
    MESSAGE_EVENTS,
    read_details,
    read_message,
)
from include.freezeline.readers.otlp import LogRecord, id_or_none, is_span_id, is_trace_id
from include.freezeline.readers.outcomes import classify_error, http_status_of
from include.freezeline.readers.privacy import find_people
from include.freezeline.readers.records import Refused, SideRows
from include.freezeline.readers.result import Row
from include.freezeline.readers.rules import AttributeRules, LandingRules
from include.freezeline.readers.side_columns import rest_as_json
from include.freezeline.readers.tool_calls import requested_calls
from include.freezeline.readers.values import to_timestamp

_SAFE_EVENT_NAME = re.compile(r"[A-Za-z0-9_.:/-]{1,80}")
_PREFIX = "gen_ai."
_MAX_NAME_CHARS = 200
_CALLS_PER_CHOICE = 100
_MAX_CHOICES = 10_000


def read_log_event(record: LogRecord, rules: LandingRules) -> SideRows | Refused:
    """Return the rows of a log event, or why it cannot be used."""
    name = record.event_name
    if name in EVALUATION_EVENTS:
        evaluation = read_log_evaluation(record, rules.attributes)
        if isinstance(evaluation, Refused):
            return evaluation
        return SideRows("logs", {"evaluations": [evaluation]})
    if not name.startswith(_PREFIX):
        code = name if _SAFE_EVENT_NAME.fullmatch(name) else "other"
        return Refused(f"unsupported_signal:logs:{code}", "only gen_ai events are landed", "logs")
    if not record.time_ns:
        return Refused("missing_time", "neither the event's nor the observed time is set", "logs")
    found = _read_contents(record, rules.attributes)
    return _read_call_event(record, rules.attributes) if found is None else found


def _read_contents(record: LogRecord, rules: AttributeRules) -> SideRows | Refused | None:
    """Return the message contents of an event, None when it has none to give."""
    if record.event_name in MESSAGE_EVENTS:
        rows = [read_message(record)]
    elif record.event_name in DETAILS_EVENTS:
        rows = read_details(record)
    else:
        return None
    if not rows:
        return None
    if not (is_trace_id(record.trace_id) and is_span_id(record.span_id)):
        return Refused("invalid_id", "a message needs trace and span id of its call", "logs")
    placed: Row = {
        "trace_id": record.trace_id,
        "span_id": record.span_id,
        "carrier": "log_event",
        "recorded_at": to_timestamp(record.time_ns),
    }
    contents = [{**row, **placed} for row in rows]
    calls = _requested_calls(record, contents, rules)
    return SideRows("logs", {"message_contents": contents, "tool_calls": calls})


def _requested_calls(record: LogRecord, contents: list[Row], rules: AttributeRules) -> list[Row]:
    """Return the tool calls that the answers of an event ask for.

    Of a call with several choices each has an event of its own; each numbers its calls from a
    hundred of its own, so that no two of one span have the same place.
    """
    people = find_people([record.attributes, record.origin.resource], rules)
    calls: list[Row] = []
    for row in contents:
        if row["direction"] == "output" and row["messages_redacted"] is not None:
            messages = parse_json_text(row["messages_redacted"]).data
            first = _CALLS_PER_CHOICE * _choice_of(record, messages)
            for place, call in enumerate(requested_calls(messages), first):
                leave_people_out(call, people, rules)
                ids = {"trace_id": record.trace_id, "span_id": record.span_id}
                calls.append({**call, **ids, "call_index": place, "called_at": row["recorded_at"]})
    return calls


def _choice_of(record: LogRecord, messages: list[Any]) -> int:
    """Return which choice of a call an event holds."""
    index = messages[0].get("index") if record.event_name == ANSWER_EVENT else 0
    return index if type(index) is int and 0 <= index < _MAX_CHOICES else 0


def _read_call_event(record: LogRecord, rules: AttributeRules) -> SideRows | Refused:
    """Return an event about a call that is no message: a failure, or one we know nothing of."""
    trace_id, span_id = id_or_none(record.trace_id), id_or_none(record.span_id)
    if (trace_id is not None and not is_trace_id(trace_id)) or (
        span_id is not None and not (trace_id and is_span_id(span_id))
    ):
        return Refused("invalid_id", "ids that are given must be 32 and 16 hex digits", "logs")
    view = AttributeView(_with_body(record))
    row: Row = {
        "trace_id": trace_id,
        "span_id": span_id,
        "response_id": view.text("gen_ai.response.id"),
        "event_name": record.event_name[:_MAX_NAME_CHARS],
        "recorded_at": to_timestamp(record.time_ns),
        **_failure(view),
    }
    row["attributes_redacted"] = rest_as_json(view, AttributeView(record.origin.resource), rules)
    return SideRows("logs", {"call_events": [row]})


def _with_body(record: LogRecord) -> dict[str, Any]:
    """Return the attributes of an event with its body, if any, as one more."""
    named = {name: value for name, value in record.attributes.items() if name != "event.name"}
    return named if record.body in (None, "", {}) else {**named, "body": record.body}


def _failure(view: AttributeView) -> Row:
    """Return the failure that an event tells of; all null when it tells of none."""
    error_type = view.text("error.type", "exception.type")
    message = view.text("exception.message", "error.message")
    status = http_status_of(view)
    is_failure = error_type is not None or message is not None
    return {
        "error_type": error_type,
        "error_class": classify_error(error_type, message, status) if is_failure else None,
        "http_status_code": status,
        "error_message_redacted": message,
        "error_stacktrace_redacted": view.text("exception.stacktrace"),
    }
