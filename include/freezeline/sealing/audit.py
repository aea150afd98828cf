"""Rows of the audit log, chained by hashes: a row that was changed or taken out is noticed."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal

from include.freezeline.errors import BreakGlassError
from include.freezeline.sealing.access import AccessRequest, Requester

EventKind = Literal["read", "key_destroyed", "keys_rewrapped"]
Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class NewEvent:
    """What happened; columns as in ``contracts.lake_audit``."""

    event_kind: EventKind
    recorded_at: datetime
    person: str
    reason: str
    row_count: int
    text_count: int
    login_name: str | None = None
    ticket: str | None = None
    read_trace_id: str | None = None
    read_span_id: str | None = None
    key_name: str | None = None
    key_id: str | None = None


def read_event(request: AccessRequest, row_count: int, text_count: int) -> NewEvent:
    """Return the event of a read."""
    event = _event_of("read", request.by, row_count, text_count)
    return replace(event, read_trace_id=request.trace_id, read_span_id=request.span_id)


def rewrap_event(by: Requester, master_key_id: str, key_count: int) -> NewEvent:
    """Return the event of wrapping keys with a new master key."""
    return replace(_event_of("keys_rewrapped", by, key_count, 0), key_id=master_key_id)


def _event_of(kind: EventKind, by: Requester, row_count: int, text_count: int) -> NewEvent:
    """Return an event that somebody answers for."""
    return NewEvent(
        event_kind=kind,
        recorded_at=by.requested_at,
        person=by.person,
        login_name=by.login_name,
        reason=by.reason.strip(),
        ticket=by.ticket,
        row_count=row_count,
        text_count=text_count,
    )


def chained(new: NewEvent, last: Mapping[str, Any] | None) -> Event:
    """Return an event as the row that follows the last one."""
    event = asdict(new) | {
        "recorded_at": new.recorded_at.isoformat(),
        "event_index": 1 if last is None else last["event_index"] + 1,
        "previous_hash": "" if last is None else last["event_hash"],
    }
    return event | {"event_hash": _hash_of(event)}


def check_chain(events: Iterable[Mapping[str, Any]], where: str) -> None:
    """Refuse a log in which a row was changed, added or taken out before the last one.

    Raises:
        BreakGlassError: The first row that does not follow from the one before.
    """
    previous = ""
    for number, event in enumerate(events, start=1):
        follows = event.get("event_index") == number and event.get("previous_hash") == previous
        if not follows or event.get("event_hash") != _hash_of(event):
            message = (
                f"{where}: row {number} does not follow from the one before: the log was changed "
                "(keep it, restore a copy, and find out who did it)"
            )
            raise BreakGlassError(message)
        previous = str(event["event_hash"])


def _hash_of(event: Mapping[str, Any]) -> str:
    """Return the hash of everything in a row but its hash."""
    rest = {name: value for name, value in event.items() if name != "event_hash"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode("ascii")).hexdigest()
