"""The dimensions of ``drift.yml`` as SQL over calls (``c``) and their texts (``t``)."""

from collections.abc import Mapping, Sequence
from typing import Any

from include.freezeline.drift.evidence import dimension_sql
from include.freezeline.drift.scope import Dimension
from include.freezeline.drift.segments import Segment

# Calls that name no model are a segment of their own, whose model is the empty text.
_COLUMNS = {
    "feature": "{}feature",
    "environment": "{}environment",
    "model": "coalesce({}request_model, '')",
}
_OF_TEXTS: Mapping[str, str] = {name: sql.format("t.") for name, sql in _COLUMNS.items()}
_OF_CALLS: Mapping[str, str] = {name: sql.format("c.") for name, sql in _COLUMNS.items()}


def segment_columns(dimensions: Sequence[Dimension]) -> str:
    """Return the select list of a segment's dimensions."""
    return ", ".join(f"{_OF_TEXTS.get(name) or _further(name)} as {name}" for name in dimensions)


def segment_of(row: Mapping[str, Any], dimensions: Sequence[Dimension]) -> Segment:
    """Return the segment of a row that has the columns of :func:`segment_columns`."""
    rest = tuple((name, str(row[name])) for name in dimensions if name not in _OF_TEXTS)
    return Segment(row["feature"], row["environment"], row.get("model"), rest)


def segment_condition(
    segment: Segment, *, are_texts_joined: bool = True
) -> tuple[str, dict[str, str]]:
    """Return the condition of a segment's rows, and the parameters in it.

    Args:
        segment: Whose rows.
        are_texts_joined: Whether texts are there as ``t``; calls are there as ``c`` in any case.
    """
    plain = {"feature": segment.feature, "environment": segment.environment, "model": segment.model}
    values = {**plain, **dict(segment.rest)}
    given = {name: value for name, value in values.items() if value is not None}
    known = _OF_TEXTS if are_texts_joined else _OF_CALLS
    parts = [f"{known.get(name) or _further(name)} = ${name}" for name in given]
    return " and ".join(parts), given


def _further(name: str) -> str:
    """Return a further dimension of calls ``c`` as SQL."""
    return dimension_sql(name, "c.")
