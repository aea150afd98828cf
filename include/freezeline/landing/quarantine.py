"""Quarantine rows: why a record was put aside, and as much of it as may be shown."""

import re
from collections.abc import Iterable
from datetime import datetime

from include.freezeline.landing.guard import Guard
from include.freezeline.landing.plan import DueObject
from include.freezeline.landing.records import WHOLE_OBJECT, RejectLike, Row
from include.freezeline.landing.scopes import Tally
from include.freezeline.landing.texts import DROPPED

_SCANNED_CHARS = 2_000
_SHOWN_CHARS = 200
_SHOWN_NAMES = 12
_SHOWN_BYTES = 4
_FIRST_PRINTABLE = 0x20
_FIELD_NAME = re.compile(r'"([A-Za-z_][A-Za-z0-9_./-]{0,60})"\s*:')
_UNICODE_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


def quarantine_rows(
    rejects: Iterable[RejectLike],
    due: DueObject,
    sha256: str,
    as_of: datetime,
    guard: Guard,
    tally: Tally,
) -> tuple[Row, ...]:
    """Return one row per record put aside, in the object's order; its first complaint counts."""
    first: dict[int, RejectLike] = {}
    for reject in rejects:
        first.setdefault(reject.offset, reject)
    return tuple(
        {
            "source_object": due.key,
            "source_offset": offset,
            "source_sha256": sha256,
            "reason": guard.guard_label(first[offset].reason, tally) or DROPPED,
            "detail_redacted": guard.guard_text(first[offset].detail, tally),
            "sample_redacted": (
                guard.guard_text(first[offset].sample, tally)
                if offset == WHOLE_OBJECT
                else show_sample(first[offset].sample, guard, tally)
            ),
            "arrived_at": due.arrived_at,
            "night_as_of": as_of,
        }
        for offset in sorted(first)
    )


def show_sample(sample: str | None, guard: Guard, tally: Tally) -> str | None:
    r"""Redact a sample, then cut it.

    A value that a cut tears apart is no longer recognised, so the redactor sees more than is
    shown, and of a sample that was cut before it came here the last part is not shown. JSON's
    ``\uXXXX`` is undone first, since it hides an ``@``.
    """
    if sample is None:
        return None
    text = _UNICODE_ESCAPE.sub(lambda match: chr(int(match[1], 16)), sample[:_SCANNED_CHARS])
    redacted = guard.guard_text(text, tally)
    if redacted is None:
        return None
    return redacted[: min(_SHOWN_CHARS, len(redacted) * 2 // 3)]


def outline_of(data: bytes) -> str | None:
    """Describe bytes that no reader understands, without showing any value of theirs.

    A raw sample of an unknown format could hold ids of people, which no pattern finds. The names
    of JSON fields say which producer it was, and binary formats are known by their first bytes.
    """
    head = data[:_SCANNED_CHARS]
    names = dict.fromkeys(_FIELD_NAME.findall(head.decode("utf-8", "replace")))
    if names:
        return "fields: " + ", ".join(list(names)[:_SHOWN_NAMES])
    is_binary = any(byte < _FIRST_PRINTABLE and byte not in b"\t\r\n" for byte in head)
    return f"starts with bytes {head[:_SHOWN_BYTES].hex(' ')}" if is_binary else None
