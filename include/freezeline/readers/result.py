"""What a reader returns: rows, evaluations and the records that could not be used."""

from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reject:
    """One record that is put aside.

    Attributes:
        offset: Ordinal of the record inside its object.
        reason: Short code, ``invalid_id`` or ``unsupported_dialect:langfuse``.
        detail: What was found and what was expected; may quote the record, so it is redacted.
        sample: The record's technical fields as JSON text; None when they cannot be read safely.
    """

    offset: int
    reason: str
    detail: str
    sample: str | None = None


@dataclass(frozen=True, slots=True)
class ReadResult:
    """Everything one object held.

    Every record is used exactly once: ``record_count == used_count + len(rejects)``.

    Attributes:
        format: otlp_json, otlp_json_lines, otlp_protobuf, otlp_json_framed,
            otlp_protobuf_framed, litellm_json, ..., or empty.
        signal: traces, logs, metrics or unknown; of an object that mixes them the first in this
            order, so that an object with spans is never taken for one without.
        record_count: Span, log or metric records, or documents of other producers.
        used_count: Records that became a row of ``spans`` or, for logs, of ``evaluations``.
        spans: Rows with the columns of ``contracts.lake.SPANS`` except where the object lies.
        evaluations: Rows with the columns of ``EVALUATIONS`` except where the object lies; more
            than one may come from a span record, which is one record all the same.
        rejects: Records put aside.
    """

    format: str
    signal: str
    record_count: int = 0
    used_count: int = 0
    spans: list[Row] = field(default_factory=list)
    evaluations: list[Row] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
