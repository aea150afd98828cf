"""Evaluation results and feedback: span events, span attributes, log events, evaluator spans."""

from collections.abc import Iterator
from typing import Any

from include.freezeline.readers import langfuse_names
from include.freezeline.readers.attributes import AttributeView
from include.freezeline.readers.langfuse_evaluations import read_evaluator
from include.freezeline.readers.messages import numbered
from include.freezeline.readers.names import Names
from include.freezeline.readers.otlp import LogRecord, Span, id_or_none, is_span_id, is_trace_id
from include.freezeline.readers.records import Refused
from include.freezeline.readers.result import Row
from include.freezeline.readers.rules import AttributeRules
from include.freezeline.readers.values import to_number, to_text, to_timestamp

EVALUATION_EVENT = "gen_ai.evaluation.result"
# A user's reaction: the first name comes from the draft of the conventions, the others are in use.
_FEEDBACK_EVENTS = frozenset(
    {
        "gen_ai.evaluation.user_feedback",
        "gen_ai.user.feedback",
        "human.feedback",
        "user_feedback",
        "user.feedback",
    }
)
EVALUATION_EVENTS = _FEEDBACK_EVENTS | {EVALUATION_EVENT}
_FEEDBACK_NAMES = frozenset({"user_feedback", "user-feedback"})
_SCORES = ("gen_ai.evaluation.score.value", "gen_ai.evaluation.score")
_LABELS = ("gen_ai.evaluation.score.label", "gen_ai.evaluation.label")
_EXPLANATIONS = ("gen_ai.evaluation.explanation",)
# A reaction is a number or a word ("up"), often under the same name.
_REACTIONS = ("feedback.score", "feedback.rating", "feedback.value", "score", "rating", "value")
_REACTION_LABELS = ("feedback.label", "label", *_REACTIONS)
_COMMENTS = ("feedback.comment", "feedback.text", "comment", "content", "feedback")
_ANNOTATOR_NAMES = (
    "gen_ai.evaluation.annotator_kind",
    "evaluation.annotator_kind",
    "annotator_kind",
)
_ANNOTATOR_KINDS = {
    "human": "human",
    "user": "human",
    "annotation": "human",
    "llm": "model",
    "model": "model",
    "code": "code",
    "heuristic": "code",
}
# OpenInference: what stands before and after the number.
_FLATTENED = {
    f"{scope}{collection}s.": f"{collection}."
    for scope in ("", "trace.", "session.")
    for collection in ("evaluation", "annotation")
}
_FIRST_NAMES = frozenset(f"{prefix}0.{middle}name" for prefix, middle in _FLATTENED.items())
_JUDGING_NAMES = _FIRST_NAMES | {"openinference.span.kind", langfuse_names.TYPE}
_FLAT_MEMBERS = frozenset({"name", "score", "label", "explanation", "annotator_kind"})
_SESSION_NAMES = ("session.id", "gen_ai.conversation.id")


def may_hold_evaluations(names: Names) -> bool:
    """Return whether attributes of these names may be evaluations, or say that a span is one."""
    return not _JUDGING_NAMES.isdisjoint(names)


def read_span_evaluations(span: Span, view: AttributeView) -> Iterator[Row]:
    """Yield the evaluations that a span carries, as events or as OpenInference attributes.

    Args:
        span: The span, whose ids and start are known to be usable.
        view: Its attributes.
    """
    for number, event in enumerate(span.events):
        if event.name in EVALUATION_EVENTS:
            carried = AttributeView(event.attributes)
            row = _event_row(event.name, carried)
            if row is not None:
                view.held_events[number] = carried.rest()
                row.update(_judged(span.trace_id, span.span_id), carrier="span_event")
                row["evaluated_at"] = to_timestamp(event.time_ns or span.end_ns or span.start_ns)
                yield row
    attributes = span.attributes
    if _is_evaluator(span) or not attributes.keys().isdisjoint(_FIRST_NAMES):
        yield from _openinference_rows(span, view)
    yield from read_evaluator(span)


def read_log_evaluation(record: LogRecord, rules: AttributeRules) -> Row | Refused:
    """Return the evaluation of a log event, or why it cannot be used.

    An evaluator that runs apart from the call may know no span; then the event names the whole
    trace, the response or the session that is judged.

    Args:
        record: The event.
        rules: Names of the session's attribute.
    """
    body = record.body if isinstance(record.body, dict) else {}
    view = AttributeView({**body, **record.attributes})
    judged: Row = {
        "trace_id": id_or_none(record.trace_id),
        "span_id": id_or_none(record.span_id),
        "session_key": view.text(*rules.session),
        "response_id": view.text("gen_ai.response.id"),
    }
    if not _names_somebody(judged):
        detail = "an evaluation needs the ids of the judged span or trace, a response or a session"
        return Refused("invalid_id", detail)
    if not record.time_ns:
        return Refused("missing_time", "neither the event's nor the observed time is set")
    row = _event_row(record.event_name, view)
    if row is None:
        return Refused("invalid_evaluation", "an evaluation without a name, feedback without any")
    row.update(judged)
    row["carrier"] = "log_event"
    row["evaluated_at"] = to_timestamp(record.time_ns)
    return row


def annotator_kind(given: str | None) -> str | None:
    """Return human, model or code for what a source calls it; None when it says neither."""
    return _ANNOTATOR_KINDS.get((given or "").casefold())


def _names_somebody(judged: Row) -> bool:
    """Return whether ids that are given are valid and say who is judged."""
    trace_id, span_id = judged["trace_id"], judged["span_id"]
    if trace_id is not None and not is_trace_id(trace_id):
        return False
    if span_id is not None and (trace_id is None or not is_span_id(span_id)):
        return False
    return any(judged[name] is not None for name in ("trace_id", "session_key", "response_id"))


def _event_row(event_name: str, view: AttributeView) -> Row | None:
    """Return what an event says; None for a result without a name or feedback without content."""
    if event_name in _FEEDBACK_EVENTS:
        return _feedback_row(view)
    name = view.text("gen_ai.evaluation.name")
    if name is None:
        return None
    kind = annotator_kind(view.text(*_ANNOTATOR_NAMES))
    return {
        "evaluation_name": name,
        "evaluation_score": view.number(*_SCORES),
        "evaluation_label": view.text(*_LABELS),
        "explanation_redacted": view.text(*_EXPLANATIONS),
        "annotator_kind": kind or ("human" if name in _FEEDBACK_NAMES else None),
    }


def _feedback_row(view: AttributeView) -> Row | None:
    """Return what a user's reaction says; None when it says nothing."""
    score = view.number(*_SCORES, *_REACTIONS)
    label = view.text(*_LABELS, *(n for n in _REACTION_LABELS if _is_word(view.values.get(n))))
    explanation = view.text(*_EXPLANATIONS, *_COMMENTS)
    if score is None and label is None and explanation is None:
        return None
    return {
        "evaluation_name": view.text("gen_ai.evaluation.name") or "user_feedback",
        "evaluation_score": score,
        "evaluation_label": label,
        "explanation_redacted": explanation,
        "annotator_kind": "human",
    }


def _is_word(value: Any) -> bool:
    """Return whether a reaction was given as a word rather than a number."""
    return isinstance(value, bool) or (isinstance(value, str) and to_number(value) is None)


def _openinference_rows(span: Span, view: AttributeView) -> Iterator[Row]:
    """Yield numbered evaluations and annotations; an evaluator judges the span it links to."""
    is_evaluator = _is_evaluator(span)
    trace_id, span_id = span.trace_id, span.span_id
    if is_evaluator and span.links and _is_usable(span.links[0]):
        trace_id, span_id = span.links[0]
    evaluated_at = to_timestamp(span.end_ns or span.start_ns)
    for prefix, found in numbered(span.attributes, _FLATTENED).items():
        judged = _judged(trace_id, span_id)
        if prefix.startswith("trace."):
            judged["span_id"] = None
        elif prefix.startswith("session."):
            judged = _judged_session(span, trace_id)
        for holder in found.items:
            row = _flat_row(holder)
            if row is not None:
                row.update(judged)
                row["carrier"] = "evaluator_span" if is_evaluator else "span_attribute"
                row["evaluated_at"] = evaluated_at
                yield row
        _take_held(view, found.names)


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
        "annotator_kind": annotator_kind(to_text(holder.get("annotator_kind"))),
    }


def _take_held(view: AttributeView, names: list[str]) -> None:
    """Count as taken what rows hold; the rest, and evaluations without a name, stay attributes."""
    for name in names:
        head, _, member = name.rpartition(".")
        if member in _FLAT_MEMBERS and view.values.get(f"{head}.name"):
            view.take(name)


def _judged(trace_id: str | None, span_id: str | None) -> Row:
    """Return whom an evaluation on a span judges."""
    return {"trace_id": trace_id, "span_id": span_id, "session_key": None, "response_id": None}


def _judged_session(span: Span, trace_id: str) -> Row:
    """Return the session that is judged; its trace when the span names no session."""
    session = next((t for n in _SESSION_NAMES if (t := to_text(span.attributes.get(n)))), None)
    return {**_judged(trace_id if session is None else None, None), "session_key": session}


def _is_evaluator(span: Span) -> bool:
    """Return whether a span is an evaluation of another one."""
    return span.attributes.get("openinference.span.kind") in ("EVALUATOR", "evaluator")


def _is_usable(link: tuple[str, str]) -> bool:
    """Return whether a link names a span."""
    return is_trace_id(link[0]) and is_span_id(link[1])
