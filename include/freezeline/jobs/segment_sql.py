"""The dimensions of ``drift.yml`` as SQL over calls (``c``) and their texts (``t``)."""

from collections.abc import Mapping, Sequence
from typing import Any

from include.freezeline.drift.scope import Dimension
from include.freezeline.drift.segments import Segment

_OF_TEXTS: Mapping[Dimension, str] = {
    "feature": "t.feature",
    "environment": "t.environment",
    "model": "t.request_model",
}


def segment_columns(dimensions: Sequence[Dimension]) -> str:
    """Return the select list of a segment's dimensions."""
    return ", ".join(f"{_expression(name)} as {name}" for name in dimensions)


def needs_calls(dimensions: Sequence[Dimension]) -> bool:
    """Whether the texts alone do not know a dimension."""
    return any(name not in _OF_TEXTS for name in dimensions)


def segment_of(row: Mapping[str, Any], dimensions: Sequence[Dimension]) -> Segment:
    """Return the segment of a row that has the columns of :func:`segment_columns`."""
    rest = tuple((name, str(row[name])) for name in dimensions if name not in _OF_TEXTS)
    return Segment(row["feature"], row["environment"], row.get("model"), rest)


def segment_condition(segment: Segment) -> tuple[str, dict[str, str]]:
    """Return the condition of a segment's rows, and the parameters in it."""
    plain = {"feature": segment.feature, "environment": segment.environment, "model": segment.model}
    values = {**plain, **dict(segment.rest)}
    given = {name: value for name, value in values.items() if value is not None}
    parts = [f"{_expression(name)} = ${name}" for name in given]
    return " and ".join(parts), given


def _expression(name: str) -> str:
    """Return a dimension as SQL; a missing value of a further one is the empty text."""
    known: Mapping[str, str] = {str(key): value for key, value in _OF_TEXTS.items()}
    return known.get(name, f"coalesce(c.{name}, '')")
