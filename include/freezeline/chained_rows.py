"""Rows of an append-only log, chained by hashes: a row that was changed or taken out is noticed."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

Row = dict[str, Any]


def chain_row(values: Mapping[str, Any], last: Mapping[str, Any] | None) -> Row:
    """Return values as the row that follows the last one.

    Args:
        values: JSON values.
        last: The row before; None for the first.
    """
    row = dict(values) | {
        "event_index": 1 if last is None else last["event_index"] + 1,
        "previous_hash": "" if last is None else last["event_hash"],
    }
    return row | {"event_hash": _hash_of(row)}


def find_broken_row(rows: Iterable[Mapping[str, Any]]) -> int | None:
    """Return the number, from 1, of the first row that does not follow from the one before."""
    previous = ""
    for number, row in enumerate(rows, start=1):
        follows = row.get("event_index") == number and row.get("previous_hash") == previous
        if not follows or row.get("event_hash") != _hash_of(row):
            return number
        previous = str(row["event_hash"])
    return None


def _hash_of(row: Mapping[str, Any]) -> str:
    """Return the hash of everything in a row but its hash."""
    rest = {name: value for name, value in row.items() if name != "event_hash"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode("ascii")).hexdigest()
