"""Format: does the answer meet the JSON Schema that its feature promises?"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import jsonschema
from jsonschema.exceptions import best_match
from jsonschema.validators import validator_for

from include.freezeline.evaluators.interface import Item, Need, Score

_FENCE = re.compile(r"^```\w*\s*\n(.*)\n\s*```$", re.DOTALL)
_HALF = 0.5


class Format:
    """Scores 1 for JSON that meets its schema, a half for other JSON, 0 for what is none."""

    name = "format"
    version = "1"
    needs: frozenset[Need] = frozenset({"answer", "schema"})
    is_high_bad = False

    def score(self, batch: Sequence[Item]) -> list[Score]:
        """Return how far each answer keeps to its schema; reasons name places, never values."""
        return [Score(item.call_key, *_judged(item.answer or "", item.schema)) for item in batch]


def _judged(answer: str, schema: Mapping[str, Any] | None) -> tuple[float, str]:
    """Return score and reason of one answer."""
    bare = answer.strip()
    fenced = _FENCE.match(bare)
    try:
        document = json.loads(fenced[1] if fenced else bare, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return 0.0, "no JSON"
    if fenced:
        return _HALF, "JSON inside a code fence"
    if not isinstance(schema, Mapping):
        return 1.0, "JSON"
    validator = validator_for(dict(schema), default=jsonschema.Draft202012Validator)(dict(schema))
    error = best_match(validator.iter_errors(document))
    if error is None:
        return 1.0, "meets its schema"
    # The path of the schema, since keys of the document are the answer's own text.
    place = "/".join(str(part) for part in error.absolute_schema_path)
    return _HALF, f"JSON that breaks its schema at {place}"


def _refuse(constant: str) -> float:
    """Refuse NaN and Infinity, which JSON does not have."""
    raise ValueError(constant)
