"""The break-glass audit log: JSON lines that are only ever added to."""

import fcntl
import json
import os
from pathlib import Path
from typing import Any

from include.freezeline.errors import BreakGlassError
from include.freezeline.sealing.audit import Event, NewEvent, chained, check_chain
from include.freezeline.settings import Settings


class AuditLog:
    """The file ``<home>/break_glass/audit.jsonl``."""

    def __init__(self, path: Path) -> None:
        """Use a file, which need not exist yet."""
        self.path = path

    def events(self) -> list[Event]:
        """Return all rows, in order.

        Raises:
            BreakGlassError: A row was changed or taken out, or the file cannot be read.
        """
        if not self.path.exists():
            return []
        try:
            return self._parsed(self.path.read_bytes())
        except OSError as error:
            raise self._unusable(error.strerror) from None

    def append(self, new: NewEvent) -> Event:
        """Add a row, down to the disk; when this returns, it is there.

        Raises:
            BreakGlassError: It cannot be written, or the rows before it are not in order.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
            with os.fdopen(os.open(self.path, flags, 0o600), "r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                known = self._parsed(file.read())
                event = chained(new, known[-1] if known else None)
                file.write(json.dumps(event, sort_keys=True).encode("ascii") + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise self._unusable(error.strerror) from None
        return event

    def _parsed(self, data: bytes) -> list[Event]:
        """Read rows and check that each follows from the one before."""
        try:
            events: list[dict[str, Any]] = [json.loads(line) for line in data.splitlines()]
        except ValueError:
            events = []
        is_whole = data.endswith(b"\n") and all(isinstance(event, dict) for event in events)
        if data and not (events and is_whole):
            problem = "a row is damaged or cut off"
            raise self._unusable(problem)
        check_chain(events, str(self.path))
        return events

    def _unusable(self, problem: str | None) -> BreakGlassError:
        """Say why nothing may be read now."""
        return BreakGlassError(
            f"{self.path}: the audit log cannot be used: {problem}; no original is read without "
            "a row in it (mend the file or its folder, then try again)"
        )


def audit_log(settings: Settings) -> AuditLog:
    """Return the audit log of a home."""
    return AuditLog(settings.home / "break_glass" / "audit.jsonl")
