"""Evaluation results, wherever they are carried: span events, log events or evaluator spans."""

from collections.abc import Iterator
from typing import Any

from include.freezeline.readers.attributes import AttributeView
from include.freezeline.readers.messages import indexed_messages
from include.freezeline.readers.otlp import LogRecord, Span, is_span_id, is_trace_id
from include.freezeline.readers.records import Refused
from include.freezeline.readers.result import Row
from include.freezeline.readers.values import to_number, to_text, to_timestamp

EVALUATION_EVENT = "gen_ai.evaluation.result"
_OPENINFERENCE_PREFIX = "evaluations."


def read_span_evaluations(span: Span, view: AttributeView, offset: int) -> Iterator[Row]:
    """Yield the evaluations that a span carries, as events or as OpenInference attributes.

    Args:
        span: The span, whose ids and start are known to be usable.
        view: Its attributes.
        offset: Ordinal of the span record.
    """
    for event in span.events:
        if event.name == EVALUATION_EVENT:
            row = _event_row(AttributeView(event.attributes))
            if row is not None:
                row.update(_place(span.trace_id, span.span_id, offset, "span_event"))
                row["evaluated_at"] = to_timestamp(event.time_ns or span.end_ns or span.start_ns)
                yield row
    if any(name.startswith(_OPENINFERENCE_PREFIX) for name in span.attributes):
        yield from _openinference_rows(span, view, offset)


def read_log_evaluation(record: LogRecord, offset: int) -> Row | Refused:
    """Return the evaluation of a log event, or why it cannot be used."""
    if not (is_trace_id(record.trace_id) and is_span_id(record.span_id)):
        return Refused("invalid_id", "an evaluation needs trace and span id of the judged span")
    if not record.time_ns:
        return Refused("missing_time", "neither the event's nor the observed time is set")
    row = _event_row(AttributeView(record.attributes))
    if row is None:
        return Refused("invalid_evaluation", "gen_ai.evaluation.name is missing")
    row.update(_place(record.trace_id, record.span_id, offset, "log_event"))
    row["evaluated_at"] = to_timestamp(record.time_ns)
    return row


def _event_row(view: AttributeView) -> Row | None:
    """Return what an evaluation event says; None without a name."""
    name = view.text("gen_ai.evaluation.name")
    if name is None:
        return None
    return {
        "evaluation_name": name,
        "evaluation_score": view.number("gen_ai.evaluation.score.value"),
        "evaluation_label": view.text("gen_ai.evaluation.score.label"),
        "explanation_redacted": view.text("gen_ai.evaluation.explanation"),
    }


def _openinference_rows(span: Span, view: AttributeView, offset: int) -> Iterator[Row]:
    """Yield ``evaluations.N.evaluation.*``; an evaluator span judges the span it links to."""
    is_evaluator = str(span.attributes.get("openinference.span.kind", "")).upper() == "EVALUATOR"
    trace_id, span_id = span.trace_id, span.span_id
    if is_evaluator and span.links and _is_usable(span.links[0]):
        trace_id, span_id = span.links[0]
    carrier = "evaluator_span" if is_evaluator else "span_event"
    for holder in indexed_messages(span.attributes, _OPENINFERENCE_PREFIX, "evaluation."):
        row = _flat_row(holder)
        if row is not None:
            row.update(_place(trace_id, span_id, offset, carrier))
            row["evaluated_at"] = to_timestamp(span.end_ns or span.start_ns)
            yield row
    view.take_prefix(_OPENINFERENCE_PREFIX)


def _flat_row(holder: dict[str, Any]) -> Row | None:
    """Return what one numbered evaluation says; None without a name."""
    name = to_text(holder.get("name"))
    if name is None:
        return None
    return {
        "evaluation_name": name,
        "evaluation_score": to_number(holder.get("score")),
        "evaluation_label": to_text(holder.get("label")),
        "explanation_redacted": to_text(holder.get("explanation")),
    }


def _place(trace_id: str, span_id: str, offset: int, carrier: str) -> Row:
    """Return whom an evaluation judges and where it was found."""
    return {
        "trace_id": trace_id,
        "span_id": span_id,
        "carrier": carrier,
        "source_offset": offset,
    }


def _is_usable(link: tuple[str, str]) -> bool:
    """Return whether a link names a span."""
    return is_trace_id(link[0]) and is_span_id(link[1])
