"""Interaction logs: JSON objects, one per model call, that an application writes itself.

The names it may use are in ``interaction_fields``. A line becomes a span with GenAI attributes, so
that everything that holds for spans holds for it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from include.freezeline.hashing import stable_hash
from include.freezeline.readers.attributes import AttributeView
from include.freezeline.readers.costs import to_cost_usd
from include.freezeline.readers.foreign import as_object, known, without_personal
from include.freezeline.readers.interaction_attributes import (
    MARK,
    MEASURES,
    SCOPE,
    interaction_attributes,
)
from include.freezeline.readers.interaction_feedback import feedback_events
from include.freezeline.readers.interaction_fields import (
    CALL_FIELDS,
    has_call_fields,
    named_fields,
)
from include.freezeline.readers.interaction_outcome import interaction_outcome
from include.freezeline.readers.jsontext import parse_json_text
from include.freezeline.readers.otel_genai import read_otel_genai
from include.freezeline.readers.otlp import Attributes, Origin, Span, is_span_id, is_trace_id
from include.freezeline.readers.privacy import without_blocked
from include.freezeline.readers.records import Record, Refused
from include.freezeline.readers.result import Row
from include.freezeline.readers.retrieved import document_rows, retrieval_columns
from include.freezeline.readers.rules import BlockList
from include.freezeline.readers.times import any_time_ns
from include.freezeline.readers.values import to_number, to_text, to_time_ns

_NS_PER_MS = 1_000_000
_CLIENT_KIND = 3
_TRACE_ID_DIGITS, _SPAN_ID_DIGITS = 32, 16
_DOCUMENTS = f"{SCOPE}.retrieval_documents"
_PEOPLE = ("user.id", "session.id", "tenant.id")


def is_interaction_log(document: Any) -> bool:
    """Return whether a document is a logged interaction: it has a time, and a model or a text."""
    return isinstance(document, dict) and "schemaType" not in document and has_call_fields(document)


def is_interaction(span: Span) -> bool:
    """Return whether a span was made of a logged interaction."""
    return MARK in span.attributes


def read_interaction_log(_: str, document: Any, blocked: BlockList) -> Iterator[Record]:
    """Yield the interaction of a document as a span."""
    fields, rest = named_fields(document)
    start_ns, end_ns = _times(fields)
    if not start_ns:
        yield Refused("missing_start_time", "no field holds the time of the call", "traces")
        return
    if not any(fields.get(name) for name in CALL_FIELDS):
        yield Refused("missing_model_and_text", "a call needs a model or a text", "traces")
        return
    yield _span(document, fields, without_personal(rest), (start_ns, end_ns), blocked)


def read_interaction(span: Span, view: AttributeView) -> Row:
    """Return the columns of a logged interaction."""
    span_type = view.text(MARK) or "llm"
    row = read_otel_genai(span, view)
    row["span_type"] = span_type
    is_leaf = view.boolean(f"{SCOPE}.is_leaf_model_call")
    row["is_leaf_model_call"] = span_type == "llm" and is_leaf is not False
    row["operation_name"] = view.text(f"{SCOPE}.operation")
    row["prompt_hash"] = view.text(f"{SCOPE}.prompt_hash")
    row["cost_reported_usd"] = to_cost_usd(view.text(f"{SCOPE}.cost_reported_usd"))
    for name in MEASURES:
        measure = view.number(f"{SCOPE}.{name}")
        if measure is not None and measure >= 0:
            row[name] = measure
    documents = parse_json_text(view.values.get(_DOCUMENTS)).data
    if isinstance(documents, list):
        view.take(_DOCUMENTS)
        found = retrieval_columns(document_rows(documents))
        row.setdefault("details", {}).update(found.pop("details", {}))
        row.update(found)
    view.take(*_PEOPLE)  # whatever names landing.yml reads people from
    return row


def _span(
    document: Mapping[str, Any],
    fields: dict[str, Any],
    rest: Attributes,
    times: tuple[int, int],
    blocked: BlockList,
) -> Span:
    """Return an interaction as a span."""
    trace_id, span_id, parent_id = _ids(document, fields, times[0])
    status_code, message, failure = interaction_outcome(fields)
    attributes = {
        **rest,
        **without_personal(as_object(fields.get("attributes"))),
        **interaction_attributes(fields),
        **failure,
    }
    kept = {name: value for name, value in known(attributes).items() if name not in blocked}
    resource = without_personal(as_object(fields.get("resource_attributes")))
    resource.setdefault("service.name", to_text(fields.get("service_name")))
    resource.setdefault("service.version", to_text(fields.get("service_version")))
    described = {name: value for name, value in known(resource).items() if name not in blocked}
    return Span(
        origin=Origin(without_blocked(described, blocked), SCOPE, ""),
        trace_id=trace_id,
        span_id=span_id,
        parent_span_id=parent_id,
        trace_state=to_text(fields.get("trace_state")) or "",
        name=to_text(fields.get("span_name")) or "interaction",
        kind=_CLIENT_KIND,
        start_ns=times[0],
        end_ns=times[1],
        attributes=without_blocked(kept, blocked),
        events=tuple(feedback_events(fields, times[1] or times[0])),
        links=(),
        status_code=status_code,
        status_message=message,
    )


def _times(fields: Mapping[str, Any]) -> tuple[int, int]:
    """Return start and end; a duration stands in for either of them, 0 is unknown."""
    start_ns = any_time_ns(fields.get("start_time"))
    end_ns = any_time_ns(fields.get("end_time"))
    lasted_ms = to_number(fields.get("duration_ms"))
    lasted_s = to_number(fields.get("duration_s"))
    if lasted_ms is None and lasted_s is not None:
        lasted_ms = lasted_s * 1000
    if lasted_ms is not None and lasted_ms >= 0:
        lasted_ns = round(lasted_ms * _NS_PER_MS)
        if start_ns and not end_ns:
            end_ns = to_time_ns(start_ns + lasted_ns)
        elif end_ns and not start_ns:
            start_ns = to_time_ns(end_ns - lasted_ns)
    return start_ns, end_ns


def _ids(
    document: Mapping[str, Any], fields: Mapping[str, Any], start_ns: int
) -> tuple[str, str, str]:
    """Return trace id, span id and parent's span id.

    Ids in W3C form stay. Others are hashed: a trace's alone, because its calls share it; a span's
    with service and time, because numbers that count up repeat in every service. A line without
    any id is known by its content, so that the same line twice is one call.
    """
    called = to_text(fields.get("id"))
    service = to_text(fields.get("service_name"))
    line = stable_hash("line", document) if called is None else None
    identity = (service, called, start_ns, line)
    trace_id = _id_or_hash(fields.get("trace_id"), _TRACE_ID_DIGITS) or stable_hash(
        "trace", *identity
    )
    span_id = (
        _id_or_hash(fields.get("span_id"), _SPAN_ID_DIGITS)
        or stable_hash("span", *identity)[:_SPAN_ID_DIGITS]
    )
    return trace_id, span_id, _id_or_hash(fields.get("parent_span_id"), _SPAN_ID_DIGITS)


def _id_or_hash(given: Any, n_digits: int) -> str:
    """Return an id in W3C form as it is and another one hashed; empty for none or only zeros."""
    text = (to_text(given) or "").strip().lower()
    if not text.strip("0-"):
        return ""
    is_id = is_trace_id(text) if n_digits == _TRACE_ID_DIGITS else is_span_id(text)
    return text if is_id else stable_hash("id", text)[:n_digits]
