"""Results of Langfuse's evaluator observations: what they put out, when it is a judgement."""

from collections.abc import Iterator
from typing import Any

from include.freezeline.readers import langfuse_names as names
from include.freezeline.readers.jsontext import parse_json_text
from include.freezeline.readers.otlp import Span, is_span_id, is_trace_id
from include.freezeline.readers.result import Row
from include.freezeline.readers.values import to_number, to_text, to_timestamp

_EVALUATOR = "evaluator"
_SCORE_MEMBERS = ("score", "value")
_LABEL_MEMBERS = ("label", "category", "verdict", "string_value")
_EXPLANATION_MEMBERS = ("explanation", "comment", "reasoning", "reason")


def read_evaluator(span: Span) -> Iterator[Row]:
    """Yield the evaluations of an evaluator observation.

    It judges the span that it links to, else the observation that it ran under; a root one judges
    its whole trace.

    Args:
        span: Any span; only an evaluator observation yields something.
    """
    if str(span.attributes.get(names.TYPE, "")).lower() != _EVALUATOR:
        return
    given = span.attributes.get(names.OUTPUT)
    found = parse_json_text(given).data if given is not None else None
    judged = next(
        (link for link in span.links if is_trace_id(link[0]) and is_span_id(link[1])),
        (span.trace_id, span.parent_span_id),
    )
    for result in found if isinstance(found, list) else [found]:
        said = _judgement(result, span.name)
        if said is not None:
            yield {
                **said,
                "trace_id": judged[0],
                "span_id": judged[1] if is_span_id(judged[1]) else None,
                "session_key": None,
                "response_id": None,
                "annotator_kind": None,
                "carrier": "evaluator_span",
                "evaluated_at": to_timestamp(span.end_ns or span.start_ns),
            }


def _judgement(result: Any, evaluator: str) -> Row | None:
    """Return what a result says: a bare number or boolean, or an object that holds a score."""
    if isinstance(result, bool | int | float):
        result = {"score": result}
    if not isinstance(result, dict):
        return None
    given = _first(result, _SCORE_MEMBERS)
    score = float(given) if isinstance(given, bool) else to_number(given)
    label = to_text(_first(result, _LABEL_MEMBERS))
    if score is None and label is None and isinstance(given, str):
        label = given
    name = to_text(result.get("name")) or evaluator
    if (score is None and label is None) or not name:
        return None
    return {
        "evaluation_name": name,
        "evaluation_score": score,
        "evaluation_label": label,
        "explanation_redacted": to_text(_first(result, _EXPLANATION_MEMBERS)),
    }


def _first(holder: dict[str, Any], members: tuple[str, ...]) -> Any:
    """Return the first member that is there."""
    return next((holder[name] for name in members if holder.get(name) is not None), None)
