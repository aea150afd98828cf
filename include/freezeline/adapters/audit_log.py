"""The break-glass audit log: JSON lines that are only ever added to."""

from include.freezeline.adapters.chained_log import ChainedLog
from include.freezeline.errors import BreakGlassError
from include.freezeline.sealing.audit import Event, NewEvent, event_values
from include.freezeline.settings import Settings


class AuditLog:
    """The file ``<home>/break_glass/audit.jsonl``."""

    def __init__(self, log: ChainedLog) -> None:
        """Use a chained log."""
        self._log = log
        self.path = log.path

    def events(self) -> list[Event]:
        """Return all rows, in order.

        Raises:
            BreakGlassError: A row was changed or taken out, or the file cannot be read.
        """
        return self._log.rows()

    def append(self, new: NewEvent) -> Event:
        """Add a row, down to the disk; when this returns, it is there.

        Raises:
            BreakGlassError: It cannot be written, or the rows before it are not in order.
        """
        return self._log.append(lambda _known: event_values(new))


def audit_log(settings: Settings) -> AuditLog:
    """Return the audit log of a home."""
    path = settings.home / "break_glass" / "audit.jsonl"
    return AuditLog(ChainedLog(path, BreakGlassError, "no original is read"))
