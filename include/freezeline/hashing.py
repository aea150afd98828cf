"""Stable hashes of values: same inputs, same key, on every machine."""

import hashlib
import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal


def stable_hash(*parts: object) -> str:
    """Return 32 hex digits that depend on the parts' values only.

    Args:
        *parts: Strings, numbers, dates, None, or lists and mappings of them.
    """
    text = json.dumps(parts, default=_plain, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:32]


def bytes_sha256(data: bytes) -> str:
    """Return the SHA-256 of bytes, hex."""
    return hashlib.sha256(data).hexdigest()


def content_hash(row: Mapping[str, object], ignore: frozenset[str] = frozenset()) -> str:
    """Return the hash of a row's values, columns sorted by name."""
    return stable_hash({name: row[name] for name in sorted(row) if name not in ignore})


def _plain(value: object) -> object:
    """Write what JSON does not know in one unambiguous form."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    item = getattr(value, "item", None)
    if callable(item):
        return item()
    message = f"cannot hash a {type(value).__name__}; pass strings, numbers, dates or lists"
    raise TypeError(message)
