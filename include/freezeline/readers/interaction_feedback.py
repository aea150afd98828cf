"""Feedback and scores that an interaction log holds beside its call."""

from collections.abc import Iterator, Mapping
from typing import Any

from include.freezeline.readers.evaluations import EVALUATION_EVENT
from include.freezeline.readers.foreign import known
from include.freezeline.readers.otlp import Event
from include.freezeline.readers.times import any_time_ns
from include.freezeline.readers.values import to_number, to_text

_FEEDBACK = "feedback"
_NAMES = ("name", "metric", "key")
_SCORES = ("score", "value", "rating")
_LABELS = ("label", "category", "thumb")
_EXPLANATIONS = ("explanation", "comment", "reason", "text")
_MAX_EVALUATIONS = 1000


def feedback_events(fields: Mapping[str, Any], time_ns: int) -> Iterator[Event]:
    """Yield an evaluation event for a line's feedback, and one for each of its scores.

    Args:
        fields: Values by field; ``feedback``, ``feedback_comment`` and ``evaluations`` are used.
        time_ns: When the call was made, for those that name no time of their own.
    """
    feedback = fields.get("feedback")
    comment = fields.get("feedback_comment")
    if feedback is not None or isinstance(comment, str):
        item = dict(feedback) if isinstance(feedback, dict) else {"score": feedback}
        item.setdefault("explanation", comment)
        yield from _event(item, time_ns, _FEEDBACK, "human")
    for item in _listed(fields.get("evaluations")):
        yield from _event(item, time_ns, None, None)


def _listed(evaluations: Any) -> list[dict[str, Any]]:
    """Return evaluations as a list; a mapping gives a score or a verdict by name."""
    if isinstance(evaluations, dict):
        evaluations = [
            {**value, "name": name} if isinstance(value, dict) else {"name": name, "score": value}
            for name, value in evaluations.items()
        ]
    items = evaluations if isinstance(evaluations, list) else []
    return [item for item in items[:_MAX_EVALUATIONS] if isinstance(item, dict)]


def _event(
    item: Mapping[str, Any], time_ns: int, name: str | None, annotator: str | None
) -> Iterator[Event]:
    """Yield what one item says; nothing when it has no name or says nothing."""
    given = _first(item, _SCORES)
    score = float(given) if isinstance(given, bool) else to_number(given)
    label = _first(item, _LABELS)
    verdict = known(
        {
            "gen_ai.evaluation.score.value": score,
            "gen_ai.evaluation.score.label": to_text(
                given if label is None and score is None else label
            ),
            "gen_ai.evaluation.explanation": to_text(_first(item, _EXPLANATIONS)),
        }
    )
    called = to_text(_first(item, _NAMES)) or name
    if called is not None and verdict:
        annotated = {
            "gen_ai.evaluation.name": called,
            "gen_ai.evaluation.annotator_kind": to_text(item.get("annotator_kind")) or annotator,
        }
        moment = any_time_ns(item.get("time", item.get("timestamp"))) or time_ns
        yield Event(EVALUATION_EVENT, moment, {**known(annotated), **verdict})


def _first(item: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """Return the first member that is there."""
    return next((item[name] for name in names if item.get(name) is not None), None)
