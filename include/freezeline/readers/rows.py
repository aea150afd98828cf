"""The canonical span row: what every dialect shares, and what no column holds."""

from collections.abc import Iterator

from include.freezeline.contracts.lake import SPANS
from include.freezeline.readers.attributes import AttributeView
from include.freezeline.readers.business import BusinessColumns
from include.freezeline.readers.jsontext import parse_json_text, write_json
from include.freezeline.readers.otlp import Attributes, Event, Span, is_span_id
from include.freezeline.readers.outcomes import read_failure, status_name
from include.freezeline.readers.privacy import (
    People,
    find_people,
    mask_people,
    without_people,
)
from include.freezeline.readers.result import Row
from include.freezeline.readers.retrieved import packing_columns
from include.freezeline.readers.rules import AttributeRules
from include.freezeline.readers.sampling import sample_weight
from include.freezeline.readers.timing import STREAM_EVENTS, latency_columns, was_streamed
from include.freezeline.readers.values import to_text, to_timestamp

_IN_COLUMNS = STREAM_EVENTS | {"exception"}
# Where the object lies is added by landing; every other column is here, so that a dialect needs to
# name only what it fills.
_OF_THE_OBJECT = frozenset({"source_object", "source_sha256", "arrived_at"})
EMPTY_ROW: Row = {
    **dict.fromkeys(name for name in SPANS.column_names if name not in _OF_THE_OBJECT),
    "consent": "unknown",
    "is_text_withheld": False,
}


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
    span: Span,
    dialect: str,
    found: Row,
    view: AttributeView,
    business: BusinessColumns,
) -> Row:
    """Return the row of a span, without its ordinal.

    Args:
        span: The span, whose ids and start are known to be usable.
        dialect: Name of the dialect that read it.
        found: The columns that the dialect filled.
        view: The span's attributes; whatever is not taken by then goes to the last columns.
        business: Reads the business columns by the rules.
    """
    rules, resource = business.rules, AttributeView(span.origin.resource)
    row = EMPTY_ROW | found
    row["trace_id"] = span.trace_id
    row["span_id"] = span.span_id
    row["parent_span_id"] = span.parent_span_id if is_span_id(span.parent_span_id) else None
    row["dialect"] = dialect
    row["scope_name"] = span.origin.scope_name or None
    row["scope_version"] = span.origin.scope_version or None
    row["span_name"] = span.name
    row["otel_kind"] = span.kind
    row["started_at"] = to_timestamp(span.start_ns)
    row["ended_at"] = to_timestamp(span.end_ns)
    row["is_clock_skewed"] = 0 < span.end_ns < span.start_ns
    row["status"] = status_name(span)
    row["sample_weight"] = sample_weight(span, view, rules)
    row.update(packing_columns(view, found))
    row.update(latency_columns(span, found, view))
    if row["is_stream"] is None and was_streamed(span):
        row["is_stream"] = True
    row.update(_failure_columns(span, view))
    row.update(business.columns(view, resource, found))
    events = [with_metadata(event.attributes) for event in span.events]
    people = find_people([view.values, resource.values, *events], rules)
    row["attributes_redacted"] = _json_or_none(_rest(span, view, rules), people)
    row["resource_attributes_redacted"] = business.resource_text(resource, people)
    return row


def _failure_columns(span: Span, view: AttributeView) -> Row:
    """Return how the span failed."""
    failure = read_failure(span, view)
    if failure.error_class is None:
        return {}
    return {
        "error_type": failure.error_type,
        "error_class": failure.error_class,
        "http_status_code": failure.http_status,
        "error_message_redacted": failure.message,
    }


def _rest(span: Span, view: AttributeView, rules: AttributeRules) -> Attributes:
    """Return attributes and events that no column holds."""
    rest = without_people(view.rest(), rules)
    if not span.events:
        return rest
    events = [
        {
            "name": event.name,
            "attributes": without_people(with_metadata(event.attributes), rules),
        }
        for event in _free_events(span, view)
    ]
    if events:
        rest["span.events"] = events
    return rest


def _free_events(span: Span, view: AttributeView) -> Iterator[Event]:
    """Yield the events that no column and no side table holds, or what is left of them."""
    for number, event in enumerate(span.events):
        left = view.held_events.get(number)
        if left is not None:
            if left:
                yield event._replace(attributes=left)
        elif event.name not in _IN_COLUMNS:
            yield event


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
