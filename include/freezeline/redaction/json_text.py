"""Rewrite the strings of a JSON document, and of JSON documents inside its strings."""

import json
from collections.abc import Callable
from typing import Any

from include.freezeline.redaction.keys import (
    TellingKeys,
    inherited_forms,
    is_neutral,
    is_value_key,
    pair_forms,
)

Leaf = Callable[[str, str], str]
"""Returns its first argument, or what shall stand in its place; the second is text before it."""

MAX_DEPTH = 60
_MAX_INNER_DOCUMENTS = 6
# Only integers of this many digits can be a card number; counts and ids pass untouched.
CARD_DIGITS = range(12, 20)
# Below a telling key shorter numbers count too: phone and social security numbers.
_TOLD_DIGITS = range(7, 20)


class JsonTooComplexError(ValueError):
    """A document is nested too deeply, or a text is too long, to be scanned."""


def rewrite_json(json_text: str, leaf: Leaf, keys: TellingKeys) -> str:
    """Apply ``leaf`` to every string, key and long integer; return the text itself if unchanged.

    Args:
        json_text: A JSON document; anything else is rewritten as one string.
        leaf: Rewrites one string, given the text before it.
        keys: Which keys tell what their value is; they hold for all that is below them.

    Raises:
        JsonTooComplexError: The document is nested too deeply.
    """
    walker = _Walker(leaf, keys)
    try:
        document = json.loads(json_text, object_pairs_hook=walker.pairs)
    except ValueError:
        return json.dumps(leaf(json_text, ""), ensure_ascii=False)
    except RecursionError:
        message = "nested too deeply"
        raise JsonTooComplexError(message) from None
    rewritten = walker.value(document, 0)
    return _dumps(rewritten) if walker.is_changed else json_text


def swap_texts(value: Any, swap: Callable[[str], str]) -> Any:
    """Return a document with its strings, keys and long integers swapped, quicker than a walk.

    Only for documents in which no key tells what its value is and no string holds a document.

    Args:
        value: Parsed JSON.
        swap: Returns what shall stand in the place of a text, mostly the text itself.
    """
    if isinstance(value, str):
        return swap(value)
    if isinstance(value, dict):
        return {swap(key): swap_texts(item, swap) for key, item in value.items()}
    if isinstance(value, list):
        return [swap_texts(item, swap) for item in value]
    if type(value) is int and len((text := str(value)).lstrip("-")) in CARD_DIGITS:
        swapped = swap(text)
        return value if swapped == text else swapped
    return value


class _Walker:
    """Walks one document and remembers whether anything changed."""

    def __init__(self, leaf: Leaf, keys: TellingKeys, inner: int = 0) -> None:
        """Start unchanged.

        Args:
            leaf: See :func:`rewrite_json`.
            keys: See :func:`rewrite_json`.
            inner: How many documents this one is inside of.
        """
        self._leaf = leaf
        self._keys = keys
        self._inner = inner
        self.is_changed = False

    def pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """Build an object; a repeated key hides a value that the scan would miss."""
        built = dict(pairs)
        if len(built) != len(pairs):
            self.is_changed = True
        return built

    def value(self, value: Any, depth: int, told: tuple[str, ...] = ()) -> Any:
        """Return a value with its strings and telling numbers rewritten.

        Args:
            value: Any JSON value.
            depth: How deep it is nested.
            told: What the keys above tell, as texts to read before it.
        """
        if depth > MAX_DEPTH:
            message = "nested too deeply"
            raise JsonTooComplexError(message)
        if isinstance(value, str):
            return self._noted(value, self._string(value, told))
        if isinstance(value, dict):
            named = inherited_forms(pair_forms(self._keys, value), told)
            return {
                self._noted(key, self._leaf(key, "")): self._member(
                    key, item, depth + 1, named if is_value_key(key) else told
                )
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [self.value(item, depth + 1, told) for item in value]
        if isinstance(value, int | float) and not isinstance(value, bool):
            return self._number(value, told)
        return value

    def _member(self, key: str, value: Any, depth: int, above: tuple[str, ...]) -> Any:
        """Rewrite a member, with its key before it where the key tells what it is."""
        own = self._keys.forms(key)
        if (own or above) and is_neutral(key):
            # A text is read with its own key all the same: `secret_id` can be a secret.
            return self.value(value, depth, own if isinstance(value, str) else ())
        return self.value(value, depth, inherited_forms(own, above))

    def _number(self, value: float, told: tuple[str, ...]) -> Any:
        """Rewrite a number that may be a card number, or what its key tells."""
        if isinstance(value, float) and not (told and value.is_integer()):
            return value
        text = str(int(value))
        if len(text.lstrip("-")) not in (_TOLD_DIGITS if told else CARD_DIGITS):
            return value
        rewritten = self._read(text, told)
        return value if rewritten == text else self._noted(text, rewritten)

    def _string(self, text: str, told: tuple[str, ...]) -> str:
        """Rewrite a string, inside when it holds a JSON document."""
        if text.lstrip()[:1] not in ("{", "[") or self._inner >= _MAX_INNER_DOCUMENTS:
            return self._read(text, told)
        walker = _Walker(self._leaf, self._keys, self._inner + 1)
        try:
            document = json.loads(text, object_pairs_hook=walker.pairs)
        except (ValueError, RecursionError):
            return self._read(text, told)
        rewritten = walker.value(document, 0, told)
        return _dumps(rewritten) if walker.is_changed else text

    def _read(self, text: str, told: tuple[str, ...]) -> str:
        """Rewrite a text with each of the texts before it in turn; some rules know only one."""
        for before in told or ("",):
            text = self._leaf(text, before)
        return text

    def _noted(self, before: str, after: str) -> str:
        """Remember whether a string changed."""
        if after != before:
            self.is_changed = True
        return after


def _dumps(document: Any) -> str:
    """Write compact JSON, characters as they are."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
