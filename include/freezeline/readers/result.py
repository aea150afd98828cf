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
class RowBatch:
    """Some records of an object, in its order.

    Attributes:
        tables: Rows by table.
        rejects: Records put aside.
        is_last: Whether no batch follows.
    """

    tables: dict[str, list[Row]]
    rejects: list[Reject]
    is_last: bool


@dataclass(frozen=True, slots=True)
class ReadResult:
    """Everything one object held.

    Every record is used exactly once: ``record_count == used_count + len(rejects)``.

    Attributes:
        format: otlp_json, otlp_json_lines, otlp_protobuf, otlp_json_framed,
            otlp_protobuf_framed, otlp_canonical_json, litellm_json, ..., or empty; it ends in
            _mended where bytes that are no UTF-8 were replaced.
        signal: traces, logs, metrics, scores, content or unknown; of an object that mixes them the first in this
            order, so that an object with spans is never taken for one without.
        record_count: Span, log or metric records, or documents of other producers.
        used_count: Records that became a row of any table.
        dialects: Dialects of its spans, in alphabetical order.
        tables: Rows by table of ``contracts.lake.TELEMETRY_TABLES``, with all columns except
            where the object lies; several may come from one record, which is counted once.
        rejects: Records put aside.
    """

    format: str
    signal: str
    record_count: int = 0
    used_count: int = 0
    dialects: tuple[str, ...] = ()
    tables: dict[str, list[Row]] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)

    @property
    def spans(self) -> list[Row]:
        """Rows of ``spans``."""
        return self.tables.get("spans", [])

    @property
    def evaluations(self) -> list[Row]:
        """Rows of ``evaluations``."""
        return self.tables.get("evaluations", [])
