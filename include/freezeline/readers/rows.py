"""The canonical span row: what every dialect shares, and what no column holds."""

from include.freezeline.readers.attributes import AttributeView
from include.freezeline.readers.evaluations import EVALUATION_EVENT
from include.freezeline.readers.jsontext import parse_json_text, write_json
from include.freezeline.readers.otlp import Attributes, Span, is_span_id
from include.freezeline.readers.outcomes import read_failure, status_name
from include.freezeline.readers.privacy import (
    People,
    find_people,
    mask_people,
    without_people,
)
from include.freezeline.readers.result import Row
from include.freezeline.readers.rules import AttributeRules
from include.freezeline.readers.sampling import sample_weight
from include.freezeline.readers.timing import STREAM_EVENTS, latency_columns, was_streamed
from include.freezeline.readers.values import to_text, to_timestamp

_UNKNOWN = "unknown"
_IN_COLUMNS = STREAM_EVENTS | {"exception", EVALUATION_EVENT}
# What a dialect may leave out; the rest is filled below for every span.
_DIALECT_COLUMNS: tuple[str, ...] = (
    "operation_name",
    "provider",
    "request_model",
    "response_model",
    "response_id",
    "system_fingerprint",
    "is_stream",
    "temperature",
    "max_tokens",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "finish_reasons",
    "prompt_name",
    "prompt_version",
    "input_text_redacted",
    "output_text_redacted",
    "input_messages_redacted",
    "output_messages_redacted",
    "system_instructions_redacted",
    "tool_name",
    "agent_name",
    "workflow_name",
    "retrieval_query_redacted",
    "retrieved_document_count",
    "retrieval_score_max",
    "cost_reported_usd",
)
_EMPTY_ROW: Row = dict.fromkeys(_DIALECT_COLUMNS)


def with_metadata(attributes: Attributes) -> Attributes:
    """Return attributes with the members of OpenInference's ``metadata`` as ``metadata.<key>``.

    The metadata is then left out as a whole: its members are kept, and one that names a person
    can be recognised.
    """
    given = attributes.get("metadata")
    data = parse_json_text(given).data if isinstance(given, str) else given
    if not isinstance(data, dict) or not data:
        return attributes
    spread = {name: value for name, value in attributes.items() if name != "metadata"}
    spread.update((f"metadata.{name}", value) for name, value in data.items())
    return spread


def build_span_row(
    span: Span, dialect: str, found: Row, view: AttributeView, rules: AttributeRules, offset: int
) -> Row:
    """Return the row of a span.

    Args:
        span: The span, whose ids and start are known to be usable.
        dialect: Name of the dialect that read it.
        found: The columns that the dialect filled.
        view: The span's attributes; whatever is not taken by then goes to the last columns.
        rules: Names of the business attributes.
        offset: Ordinal of the span record.
    """
    resource = AttributeView(span.origin.resource)
    row = {
        **_EMPTY_ROW,
        **found,
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "parent_span_id": span.parent_span_id if is_span_id(span.parent_span_id) else None,
        "dialect": dialect,
        "scope_name": span.origin.scope_name or None,
        "scope_version": span.origin.scope_version or None,
        "span_name": span.name,
        "otel_kind": span.kind,
        "started_at": to_timestamp(span.start_ns),
        "ended_at": to_timestamp(span.end_ns),
        "status": status_name(span),
        "sample_weight": sample_weight(span, view, rules),
        "source_offset": offset,
    }
    row.update(latency_columns(span, found))
    if row["is_stream"] is None and was_streamed(span):
        row["is_stream"] = True
    row.update(_failure_columns(span, view))
    row.update(_business_columns(view, resource, rules))
    row["prompt_name"] = row["prompt_name"] or view.text(*rules.prompt_name)
    row["prompt_version"] = row["prompt_version"] or view.text(*rules.prompt_version)
    events = [with_metadata(event.attributes) for event in span.events]
    people = find_people([view.values, resource.values, *events], rules)
    row["attributes_redacted"] = _json_or_none(_rest(span, view, rules), people)
    row["resource_attributes_redacted"] = _json_or_none(
        without_people(resource.rest(), rules), people
    )
    return row


def _failure_columns(span: Span, view: AttributeView) -> Row:
    """Return how the span failed."""
    failure = read_failure(span, view)
    return {
        "error_type": failure.error_type,
        "error_class": failure.error_class,
        "error_message_redacted": failure.message,
    }


def _business_columns(view: AttributeView, resource: AttributeView, rules: AttributeRules) -> Row:
    """Return service, feature and who the call was made for, span first, resource second."""
    service = resource.text("service.name")
    return {
        "service_name": service,
        "service_version": resource.text("service.version"),
        "environment": _first(view, resource, rules.environment) or _UNKNOWN,
        "feature": _first(view, resource, rules.feature) or service or _UNKNOWN,
        "tenant_key": _person(view, resource, rules.tenant),
        "user_key": _person(view, resource, rules.user),
        "session_key": _person(view, resource, rules.session),
        "request_id": _first(view, resource, rules.request_id),
        "route": _first(view, resource, rules.route),
        "canary_id": _first(view, resource, rules.canary_id),
    }


def _first(view: AttributeView, resource: AttributeView, names: tuple[str, ...]) -> str | None:
    """Return the first name's text that span or resource carries."""
    return view.text(*names) or resource.text(*names)


def _person(view: AttributeView, resource: AttributeView, names: tuple[str, ...]) -> str | None:
    """Return who it was; every other name of the same person is left out too.

    Only the column is turned into a pseudonym, so the plain value must not survive elsewhere.
    """
    found = _first(view, resource, names)
    view.take(*names)
    resource.take(*names)
    return found


def _rest(span: Span, view: AttributeView, rules: AttributeRules) -> Attributes:
    """Return attributes and events that no column holds."""
    rest = without_people(view.rest(), rules)
    events = [
        {
            "name": event.name,
            "attributes": without_people(with_metadata(event.attributes), rules),
        }
        for event in span.events
        if event.name not in _IN_COLUMNS
    ]
    if events:
        rest["span.events"] = events
    return rest


def _json_or_none(attributes: Attributes, people: People) -> str | None:
    """Return attributes as JSON text in which nobody is named; None when there are none."""
    return mask_people(attributes, write_json(attributes), people) if attributes else None


def record_sample(span: Span) -> str:
    """Return the technical fields of a span that is put aside, as JSON text."""
    return write_json(
        {
            "traceId": span.trace_id,
            "spanId": span.span_id,
            "name": span.name[:200],
            "service.name": to_text(span.origin.resource.get("service.name")),
            "scope": span.origin.scope_name,
        }
    )
