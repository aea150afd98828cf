"""Scores of Langfuse's scheduled blob export: evaluations of traces, observations and sessions."""

from collections.abc import Iterator
from typing import Any

from include.freezeline.readers.foreign_ids import foreign_span_id, foreign_trace_id
from include.freezeline.readers.langfuse_cells import ExportRow, given_values
from include.freezeline.readers.records import Record, Refused, SideRows
from include.freezeline.readers.rules import BlockList
from include.freezeline.readers.times import any_time_ns
from include.freezeline.readers.values import to_number, to_text, to_timestamp

_SCORE_CORE = frozenset({"id", "timestamp", "name", "data_type", "source"})
_ANNOTATORS = {"ANNOTATION": "human", "EVAL": "model"}  # API: a person, a model or code
_FREE_TEXTS = frozenset({"TEXT", "CORRECTION"})


def is_score(document: Any) -> bool:
    """Return whether a row is one of the table scores."""
    return isinstance(document, dict) and document.keys() >= _SCORE_CORE


def read_score(_: str, document: ExportRow, __: BlockList) -> Iterator[Record]:
    """Yield a score as an evaluation of a trace, an observation or a session."""
    row = given_values(document)
    judged = {
        "trace_id": foreign_trace_id(row.get("trace_id")) or None,
        "span_id": foreign_span_id(row.get("observation_id")) or None,
        "session_key": to_text(row.get("session_id")),
    }
    evaluated_ns = any_time_ns(row.get("timestamp"))
    name = to_text(row.get("name"))
    if name is None:
        yield Refused("invalid_evaluation", "name is missing", "scores")
    elif not evaluated_ns:
        yield Refused("missing_time", "timestamp is no time", "scores")
    elif judged["trace_id"] is None and judged["session_key"] is None:
        # A score of a whole data set run judges an experiment and no traffic.
        yield Refused("unsupported_score:no_trace_or_session", "expected either", "scores")
    else:
        said = {"evaluation_name": name, "evaluated_at": to_timestamp(evaluated_ns)}
        yield SideRows("scores", {"evaluations": [{**judged, **said, **_judgement(row)}]})


def _judgement(row: ExportRow) -> dict[str, Any]:
    """Return what a score says.

    The number beside a category is zero unless somebody mapped the category to one, and nothing
    tells the two apart, so a category has a label only.
    """
    kind = (to_text(row.get("data_type")) or "").upper()
    said, comment = to_text(row.get("string_value")), to_text(row.get("comment"))
    is_number = kind not in ("CATEGORICAL", *_FREE_TEXTS)
    if kind in _FREE_TEXTS:
        said, comment = None, "\n".join(text for text in (said, comment) if text) or None
    return {
        "response_id": None,
        "evaluation_score": to_number(row.get("value")) if is_number else None,
        "evaluation_label": said,
        "explanation_redacted": comment,
        "annotator_kind": _ANNOTATORS.get((to_text(row.get("source")) or "").upper()),
        "carrier": "score_record",
    }
