"""Break-glass: read sealed originals against an audit row, list the keys, wrap them anew."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

from include.freezeline.adapters.audit_log import audit_log
from include.freezeline.adapters.key_files import (
    DayKey,
    KeyFiles,
    key_files,
    load_master_key,
    read_master_key,
)
from include.freezeline.adapters.lake import Lake
from include.freezeline.adapters.sealed_files import SealedFiles
from include.freezeline.config import config_dir
from include.freezeline.contracts.lake_audit import BREAK_GLASS_EVENTS
from include.freezeline.errors import BreakGlassError
from include.freezeline.jobs.redact import open_redactor
from include.freezeline.jobs.retention_inventory import cold_dir
from include.freezeline.retention.plan import is_over
from include.freezeline.sealing.access import (
    AccessRequest,
    Requester,
    check_request,
    check_requester,
)
from include.freezeline.sealing.audit import Event, read_event, rewrap_event
from include.freezeline.sealing.cipher import DayCipher
from include.freezeline.sealing.policy import load_break_glass_policy
from include.freezeline.sealing.sealer import identity_of
from include.freezeline.settings import Settings


@dataclass(frozen=True, slots=True)
class Original:
    """The original texts of one row.

    Attributes:
        source_table: Lake table of the row.
        span_id: Its span.
        event_at: When it happened.
        texts: Originals by name; never in a message or a log, so not in the representation.
    """

    source_table: str
    span_id: str | None
    event_at: datetime
    texts: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ReadResult:
    """What a read gives.

    Attributes:
        event_index: Row of the audit log that it stands under.
        originals: What was sealed of the trace, in order of time.
        n_expired: Sealed rows of the trace whose time is over.
    """

    event_index: int
    originals: tuple[Original, ...]
    n_expired: int


@dataclass(frozen=True, slots=True)
class KeyState:
    """One day's key as ``break-glass list`` shows it.

    Attributes:
        key: The key or its tombstone.
        readable_until_at: Exclusive end of its time; a held key has the end of its day's.
        row_count: Sealed rows that are there.
        text_count: Texts in them.
    """

    key: DayKey
    readable_until_at: datetime
    row_count: int
    text_count: int


def read_originals(settings: Settings, request: AccessRequest) -> ReadResult:
    """Return the original texts of a trace or span; the audit row is written before any is opened.

    Args:
        settings: Where everything is.
        request: Who, why, and what.

    Raises:
        BreakGlassError: The request says too little, the audit row cannot be written, or a sealed
            text cannot be opened.
        ConfigError: There is no master key, or a policy is wrong.
    """
    policy = load_break_glass_policy(config_dir(settings))
    check_request(request, policy.access)
    _require_no_person_in(settings, request.by)
    files, master = key_files(settings), load_master_key(settings)
    sealed = SealedFiles(settings.lake_dir, cold_dir(settings))
    found = sealed.of_trace(request.trace_id, request.span_id)
    open_keys = _open_keys(files, policy.lifetime_days, request.by.requested_at)
    readable = [row for row in found if row["key_name"] in open_keys]
    n_texts = sum(row["text_count"] for row in readable)
    event = audit_log(settings).append(read_event(request, len(readable), n_texts))
    ciphers = {
        name: DayCipher(files.open(name, master)) for name in {row["key_name"] for row in readable}
    }
    originals = tuple(_opened(row, ciphers[row["key_name"]]) for row in readable)
    return ReadResult(event["event_index"], originals, len(found) - len(readable))


def list_keys(settings: Settings) -> list[KeyState]:
    """Return every day key with what it seals."""
    days = load_break_glass_policy(config_dir(settings)).lifetime_days
    counts = SealedFiles(settings.lake_dir, cold_dir(settings)).counts()
    return [
        KeyState(key, _end_of(key, days), *counts.get(key.key_name, (0, 0)))
        for key in key_files(settings).all()
    ]


def list_events(settings: Settings) -> list[Event]:
    """Return the audit log, after checking that no row was changed.

    Raises:
        BreakGlassError: One was.
    """
    return audit_log(settings).events()


def rewrap_keys(settings: Settings, new_key_path: Path, by: Requester) -> int:
    """Wrap every day key with a new master key; sealed texts stay as they are.

    Called again after it was cut off, it does the rest.

    Args:
        settings: Where the keys are, and the old master key.
        new_key_path: File of the new master key.
        by: Who answers for it.

    Returns:
        How many keys were wrapped.

    Raises:
        BreakGlassError: The requester says too little, or a key is wrapped by neither key.
        ConfigError: One of the master keys cannot be used.
    """
    check_requester(by, load_break_glass_policy(config_dir(settings)).access)
    _require_no_person_in(settings, by)
    old, new = load_master_key(settings), read_master_key(new_key_path)
    files = key_files(settings)
    due = [k for k in files.all() if not k.is_destroyed and k.master_key_id != new.key_id]
    for key in due:
        files.open(key.key_name, old)  # all of them before any is changed
    audit_log(settings).append(rewrap_event(by, new.key_id, len(due)))
    return files.rewrap(old, new)


def write_events(settings: Settings, lake: Lake) -> None:
    """Copy the audit log into the lake, where the models read it."""
    rows = [
        event | {"recorded_at": datetime.fromisoformat(event["recorded_at"])}
        for event in audit_log(settings).events()
    ]
    path = lake.root / BREAK_GLASS_EVENTS.name / f"{BREAK_GLASS_EVENTS.name}.parquet"
    lake.write_rows(BREAK_GLASS_EVENTS, rows, path)


def _require_no_person_in(settings: Settings, by: Requester) -> None:
    """Refuse reasons and tickets that hold what redaction would take out of a text.

    Raises:
        BreakGlassError: They do; the value is not repeated.
    """
    scope = open_redactor(settings).scope()
    for name, text in (("--reason", by.reason), ("--ticket", by.ticket)):
        redacted = scope.redact_text(text)
        if redacted.is_dropped or redacted.findings:
            kinds = sorted({finding.type for finding in redacted.findings})
            message = (
                f"{name}: holds {', '.join(kinds) or 'what cannot be scanned'}, and the audit log "
                "is read by many (name the ticket, not the person)"
            )
            raise BreakGlassError(message)


def _open_keys(files: KeyFiles, lifetime_days: int, now: datetime) -> set[str]:
    """Return the names of keys that are there and whose time is not over; held ones stay."""
    return {
        key.key_name
        for key in files.all()
        if not key.is_destroyed
        and (
            key.key_name != key.key_date.isoformat()
            or not is_over(key.key_date, lifetime_days, now.date())
        )
    }


def _opened(row: Mapping[str, Any], cipher: DayCipher) -> Original:
    """Decrypt one row."""
    texts = cipher.open(row["ciphertext"], identity_of(row))
    return Original(row["source_table"], row["span_id"], row["event_at"], texts)


def _end_of(key: DayKey, lifetime_days: int) -> datetime:
    """Return the end of a key's time."""
    return datetime.combine(key.key_date, time(), UTC) + timedelta(days=lifetime_days + 1)
