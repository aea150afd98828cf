"""Format: does the answer meet the JSON Schema that its feature promises?

Answers are redacted before they are kept. What redaction replaced is not held against the model:
a placeholder meets any schema at its place, and where one stands in what breaks the schema, so
that nobody can tell what stood there, there is no score.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from jsonschema.exceptions import ValidationError, best_match

from include.freezeline.evaluators.fences import fenced
from include.freezeline.evaluators.interface import Item, Need, Score
from include.freezeline.evaluators.placeholders import (
    DROPPED,
    PLACEHOLDER,
    holds_placeholder,
    with_quoted_placeholders,
)
from include.freezeline.evaluators.schemas import validator_of

_HALF = 0.5
_BRACKETS = (("[", "]"), ("{", "}"))
_REDACTED = "redacted where it would be decided"
# These say something about a value as a whole, and so about what a placeholder in it stood for.
_OF_PARTS = frozenset({"required", "additionalProperties", "type", "minItems", "maxItems",
                       "minProperties", "maxProperties"})  # fmt: skip


class Format:
    """Scores 1 for JSON that meets its schema, a half for other JSON, 0 for what is none."""

    name = "format"
    version = "3"
    has_model = False
    needs: frozenset[Need] = frozenset({"answer", "schema"})
    is_high_bad = False

    def score(self, batch: Sequence[Item]) -> list[Score]:
        """Return how far each answer keeps to its schema; reasons name places, never values."""
        return [Score(item.call_key, *_judged(item.answer or "", item.schema)) for item in batch]


def _judged(answer: str, schema: Mapping[str, Any] | None) -> tuple[float | None, str]:
    """Return score and reason of one answer."""
    bare = answer.strip().removeprefix("\ufeff").strip()
    if bare == DROPPED:
        return None, _REDACTED
    fence = fenced(bare)
    content = fence.content if fence else bare
    quoted = with_quoted_placeholders(content)
    try:
        document = json.loads(quoted, parse_constant=_refuse)
    except RecursionError:
        # How deep is too deep depends on who calls; what closes all it opens may be JSON.
        is_closed = all(quoted.count(left) == quoted.count(right) for left, right in _BRACKETS)
        return (None, _unusable(RecursionError)) if is_closed else (0.0, "no JSON")
    except ValueError:
        # Part of a number, or a key without quotes: JSON may have stood there.
        if quoted != content and content.startswith(("{", "[")):
            return None, _REDACTED
        return 0.0, "no JSON"
    if fence:
        return _HALF, "JSON inside a code fence"
    if not isinstance(schema, Mapping):
        return 1.0, "JSON"
    return _held_against(document, schema)


def _held_against(document: Any, schema: Mapping[str, Any]) -> tuple[float | None, str]:
    """Return score and reason of a JSON document."""
    try:
        errors = [
            each for each in validator_of(schema).iter_errors(document) if not _is_excused(each)
        ]
        decided = [each for each in errors if not _is_undecided(each)]
        error = best_match(decided)
    except Exception as unusable:
        # Nesting, numbers and names of any size come together here, from an answer and from a
        # file. Whatever the validator cannot take must not end the night of all the others.
        return None, _unusable(type(unusable))
    if error is None:
        return (None, _REDACTED) if errors else (1.0, "meets its schema")
    # The path of the schema, since keys of the document are the answer's own text.
    place = "/".join(str(part) for part in error.absolute_schema_path)
    return _HALF, f"JSON that breaks its schema at {place}"


def _unusable(error: type[Exception]) -> str:
    """Say why an answer cannot be held against its schema."""
    return f"cannot be held against its schema: {error.__name__.lstrip('_')}"


def _is_excused(error: ValidationError) -> bool:
    """Whether a value breaks a schema only because it is a placeholder, or holds one."""
    return isinstance(error.instance, str) and PLACEHOLDER.search(error.instance) is not None


def _is_undecided(error: ValidationError) -> bool:
    """Whether a placeholder inside of a value may be why it breaks a schema."""
    return error.validator not in _OF_PARTS and holds_placeholder(error.instance)


def _refuse(constant: str) -> float:
    """Refuse NaN and Infinity, which JSON does not have."""
    raise ValueError(constant)
