"""Attributes and values of OTLP/JSON."""

import base64
from typing import Any

from include.freezeline.readers.otlp import Attributes
from include.freezeline.readers.privacy import NAMES_TO_LOOK_INTO, is_nested, without_blocked
from include.freezeline.readers.rules import BlockList
from include.freezeline.readers.values import to_bytes_text, to_double, to_integer, to_text


def parse_attributes(pairs: Any, blocked: BlockList) -> Attributes:
    """Return a KeyValue list as a mapping without what is blocked; the last equal key wins."""
    if not pairs:
        return {}
    try:
        found, is_simple = _well_formed_attributes(pairs, blocked)
    except (AttributeError, KeyError, TypeError, ValueError):
        found, is_simple = _odd_attributes(pairs, blocked), False
    return found if is_simple else without_blocked(found, blocked)


def _well_formed_attributes(pairs: Any, blocked: BlockList) -> tuple[Attributes, bool]:
    """Return attributes that keep to the format, which nearly all do, as quickly as can be.

    Returns:
        The attributes, and whether none of them needs a look inside.
    """
    found: Attributes = {}
    kept, needs_look = blocked.kept, False
    for pair in pairs:
        name = kept[pair["key"]]
        if name is None:
            continue
        value = pair["value"]
        inner = value.get("stringValue")
        if type(inner) is str and len(value) == 1:
            found[name] = inner
            continue
        (kind,) = value
        if kind == "intValue":
            found[name] = to_integer(value[kind])
        else:
            found[name] = inner = any_value(value)
            needs_look = needs_look or is_nested(inner)
    return found, not (needs_look or NAMES_TO_LOOK_INTO[tuple(found)])


def _odd_attributes(pairs: Any, blocked: BlockList) -> Attributes:
    """Return what can be used of a KeyValue list that does not keep to the format."""
    found: Attributes = {}
    for pair in pairs if isinstance(pairs, list) else ():
        if isinstance(pair, dict):
            key = pair.get("key")
            if isinstance(key, str) and key not in blocked:
                found[key] = any_value(pair.get("value"))
    return found


def any_value(value: Any) -> Any:
    """Return an AnyValue as a plain value; an empty or unknown one is None."""
    if not isinstance(value, dict):
        return None
    for kind, inner in value.items():
        if kind == "stringValue":
            return inner if isinstance(inner, str) else to_text(inner)
        if kind == "intValue":
            return to_integer(inner)
        if kind == "doubleValue":
            return to_double(inner)
        if kind == "boolValue":
            return inner if isinstance(inner, bool) else None
        if kind == "arrayValue":
            return [any_value(item) for item in _values(inner)]
        if kind == "kvlistValue":
            return _mapping(_values(inner))
        if kind == "bytesValue":
            return _bytes_text(inner)
    return None


def _bytes_text(inner: Any) -> str | None:
    """Return what base64 stands for."""
    try:
        return to_bytes_text(base64.b64decode(inner, validate=True))
    except (TypeError, ValueError):
        return None


def _mapping(pairs: list[Any]) -> dict[str, Any]:
    """Return a kvlist as a mapping."""
    return {
        pair["key"]: any_value(pair.get("value"))
        for pair in pairs
        if isinstance(pair, dict) and isinstance(pair.get("key"), str)
    }


def _values(holder: Any) -> list[Any]:
    """Return the values of an array or kvlist."""
    values = holder.get("values") if isinstance(holder, dict) else None
    return values if isinstance(values, list) else []
