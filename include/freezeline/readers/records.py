"""Records as the parsers hand them on: usable ones, and ones refused with a reason."""

from typing import Any, NamedTuple

from include.freezeline.readers.otlp import LogRecord, MetricPoint, Span


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


class SideRows(NamedTuple):
    """A record that is no span but gives rows of side tables: a score, an uploaded message.

    Attributes:
        signal: logs, metrics, content or scores.
        tables: Rows by table name, without ``source_offset`` and where the object lies.
    """

    signal: str
    tables: dict[str, list[dict[str, Any]]]


Record = Span | LogRecord | MetricPoint | SideRows | Refused
