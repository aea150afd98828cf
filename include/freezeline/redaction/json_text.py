"""Rewrite the strings of a JSON document, and of JSON documents inside its strings."""

import json
import re
from collections.abc import Callable
from typing import Any

Leaf = Callable[[str, str], str]
"""Returns its first argument, or what shall stand in its place; the second is text before it."""

_MAX_DEPTH = 60
_MAX_INNER_DOCUMENTS = 6
# Only integers of this many digits can be a card number; counts and ids pass untouched.
_CARD_DIGITS = range(12, 20)
# Keys that tell what a short value is: without them a password is a word, a phone number a number.
_TELLING_KEY = re.compile(
    r"pass|pwd|secret|key|birth|dob|phone|tel|mobile|fax|nhs|pesel|aadhaar|\bsin\b", re.IGNORECASE
)


class JsonTooComplexError(ValueError):
    """A document is nested too deeply, or a text is too long, to be scanned."""


def rewrite_json(json_text: str, leaf: Leaf) -> str:
    """Apply ``leaf`` to every string, key and long integer; return the text itself if unchanged.

    Args:
        json_text: A JSON document; anything else is rewritten as one string.
        leaf: Rewrites one string, given the text before it.

    Raises:
        JsonTooComplexError: The document is nested too deeply.
    """
    walker = _Walker(leaf)
    try:
        document = json.loads(json_text, object_pairs_hook=walker.pairs)
    except ValueError:
        return json.dumps(leaf(json_text, ""), ensure_ascii=False)
    except RecursionError:
        message = "nested too deeply"
        raise JsonTooComplexError(message) from None
    rewritten = walker.value(document, 0)
    return _dumps(rewritten) if walker.is_changed else json_text


class _Walker:
    """Walks one document and remembers whether anything changed."""

    def __init__(self, leaf: Leaf, inner: int = 0) -> None:
        """Start unchanged.

        Args:
            leaf: See :func:`rewrite_json`.
            inner: How many documents this one is inside of.
        """
        self._leaf = leaf
        self._inner = inner
        self.is_changed = False

    def pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """Build an object; a repeated key hides a value that the scan would miss."""
        built = dict(pairs)
        if len(built) != len(pairs):
            self.is_changed = True
        return built

    def value(self, value: Any, depth: int) -> Any:
        """Return a value with its strings rewritten."""
        if depth > _MAX_DEPTH:
            message = "nested too deeply"
            raise JsonTooComplexError(message)
        if isinstance(value, str):
            return self._noted(value, self._string(value))
        if isinstance(value, dict):
            return {
                self._noted(key, self._leaf(key, "")): self._member(key, item, depth + 1)
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [self.value(item, depth + 1) for item in value]
        if isinstance(value, int) and len(str(abs(value))) in _CARD_DIGITS:
            rewritten = self._leaf(str(value), "")
            return value if rewritten == str(value) else self._noted(str(value), rewritten)
        return value

    def _member(self, key: str, value: Any, depth: int) -> Any:
        """Rewrite a member, with its key before it where the key tells what it is."""
        if isinstance(value, str) and _TELLING_KEY.search(key):
            return self._noted(value, self._leaf(value, f"{key.replace('_', ' ')}: "))
        return self.value(value, depth)

    def _string(self, text: str) -> str:
        """Rewrite a string, inside when it holds a JSON document."""
        if text.lstrip()[:1] not in ("{", "[") or self._inner >= _MAX_INNER_DOCUMENTS:
            return self._leaf(text, "")
        walker = _Walker(self._leaf, self._inner + 1)
        try:
            document = json.loads(text, object_pairs_hook=walker.pairs)
        except (ValueError, RecursionError):
            return self._leaf(text, "")
        rewritten = walker.value(document, 0)
        return _dumps(rewritten) if walker.is_changed else text

    def _noted(self, before: str, after: str) -> str:
        """Remember whether a string changed."""
        if after != before:
            self.is_changed = True
        return after


def _dumps(document: Any) -> str:
    """Write compact JSON, characters as they are."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
