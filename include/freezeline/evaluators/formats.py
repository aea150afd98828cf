"""Format: does the answer meet the JSON Schema that its feature promises?"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from jsonschema.exceptions import best_match

from include.freezeline.evaluators.fences import fenced
from include.freezeline.evaluators.interface import Item, Need, Score
from include.freezeline.evaluators.schemas import validator_of

_HALF = 0.5


class Format:
    """Scores 1 for JSON that meets its schema, a half for other JSON, 0 for what is none."""

    name = "format"
    version = "2"
    has_model = False
    needs: frozenset[Need] = frozenset({"answer", "schema"})
    is_high_bad = False

    def score(self, batch: Sequence[Item]) -> list[Score]:
        """Return how far each answer keeps to its schema; reasons name places, never values."""
        return [Score(item.call_key, *_judged(item.answer or "", item.schema)) for item in batch]


def _judged(answer: str, schema: Mapping[str, Any] | None) -> tuple[float | None, str]:
    """Return score and reason of one answer."""
    fence = fenced(answer)
    try:
        document = json.loads(fence.content if fence else answer.strip(), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return 0.0, "no JSON"
    if fence:
        return _HALF, "JSON inside a code fence"
    if not isinstance(schema, Mapping):
        return 1.0, "JSON"
    return _held_against(document, schema)


def _held_against(document: Any, schema: Mapping[str, Any]) -> tuple[float | None, str]:
    """Return score and reason of a JSON document."""
    try:
        error = best_match(validator_of(schema).iter_errors(document))
    except Exception as unusable:
        # Nesting, numbers and names of any size come together here, from an answer and from a
        # file. Whatever the validator cannot take must not end the night of all the others.
        kind = type(unusable).__name__.lstrip("_")
        return None, f"cannot be held against its schema: {kind}"
    if error is None:
        return 1.0, "meets its schema"
    # The path of the schema, since keys of the document are the answer's own text.
    place = "/".join(str(part) for part in error.absolute_schema_path)
    return _HALF, f"JSON that breaks its schema at {place}"


def _refuse(constant: str) -> float:
    """Refuse NaN and Infinity, which JSON does not have."""
    raise ValueError(constant)
