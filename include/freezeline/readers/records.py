"""Records as the parsers hand them on: usable ones, and ones refused with a reason."""

from typing import NamedTuple

from include.freezeline.readers.otlp import LogRecord, Span


class Refused(NamedTuple):
    """A record that cannot be used.

    Attributes:
        reason: Short code for the quarantine row.
        detail: What was found and what was expected.
        signal: traces, logs, metrics or unknown.
    """

    reason: str
    detail: str
    signal: str = "unknown"


Record = Span | LogRecord | Refused
