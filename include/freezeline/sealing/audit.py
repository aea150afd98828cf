"""Rows of the break-glass audit log."""

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal

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


def event_values(new: NewEvent) -> dict[str, Any]:
    """Return what happened as the JSON values of a row."""
    return asdict(new) | {"recorded_at": new.recorded_at.isoformat()}
