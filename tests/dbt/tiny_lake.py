"""A lake of a few rows, written as landing would, for tests that build the warehouse."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from include.freezeline.adapters.lake import Lake, object_hash
from include.freezeline.config import config_dir
from include.freezeline.contracts.columns import ColumnType, Table
from include.freezeline.contracts.lake import (
    CALL_EVENTS,
    EVALUATIONS,
    LEDGER,
    LEDGER_NIGHTS,
    MESSAGE_CONTENTS,
    QUARANTINE,
    REDACTION_CANARIES,
    REDACTION_COUNTS,
    RETRIEVAL_DOCUMENTS,
    SOURCE_COUNTERS,
    SPANS,
    TOOL_CALLS,
)
from include.freezeline.facts.spec import load_fact_specs
from include.freezeline.jobs.build import lake_tables
from include.freezeline.settings import Settings

DAY = datetime(2026, 10, 12, tzinfo=UTC)
ARRIVED_AT = DAY + timedelta(hours=13)

_DEFAULTS: dict[ColumnType, Any] = {
    "string": "x",
    "int8": 0,
    "int32": 0,
    "int64": 0,
    "float64": 1.0,
    "bool": False,
    "timestamp": DAY,
    "json": "{}",
    "decimal(38,12)": Decimal(0),
}
_CALL = {
    "dialect": "otel_genai",
    "span_name": "chat gpt-4.1",
    "otel_kind": 3,
    "span_type": "llm",
    "is_leaf_model_call": True,
    "started_at": DAY + timedelta(hours=12),
    "environment": "production",
    "feature": "support-assistant",
    "status": "ok",
    "provider": "openai",
    "request_model": "gpt-4.1",
    "response_model": "gpt-4.1",
    "consent": "unknown",
    "sample_weight": 1.0,
    "arrived_at": ARRIVED_AT,
}


def at(hour: float) -> datetime:
    """Return an instant of the fixture's day."""
    return DAY + timedelta(hours=hour)


def call(number: int, **values: Any) -> dict[str, Any]:
    """Return a leaf model call; equal numbers are copies of one span."""
    ids = {"trace_id": f"{number:032x}", "span_id": f"{number:016x}"}
    return {**_CALL, **ids, **values}


def span(number: int, trace: int, span_type: str, **values: Any) -> dict[str, Any]:
    """Return a span of the given trace that is no model call."""
    ids = {"trace_id": f"{trace:032x}", "span_id": f"{number:016x}"}
    own = {"span_type": span_type, "is_leaf_model_call": False}
    return {**_CALL, "provider": None, "request_model": None, "response_model": None} | {
        **ids,
        **own,
        **values,
    }


class TinyLake:
    """Writes objects of rows into the lake of some settings."""

    def __init__(self, settings: Settings) -> None:
        """Use the settings' lake folder."""
        self._lake = Lake(settings.lake_dir)
        self._tables = {table.name: table for table in lake_tables(settings)}
        specs = load_fact_specs(config_dir(settings))
        self._fact_events = {spec.name: spec.event_time_column for spec in specs}

    def spans(self, key: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write an object of spans."""
        self._write(SPANS, key, rows, dated="started_at")

    def evaluations(self, key: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write an object of evaluation results."""
        self._write(EVALUATIONS, key, rows, dated="evaluated_at")

    def contents(self, key: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write an object of message contents that came apart from their spans."""
        self._write(MESSAGE_CONTENTS, key, rows, dated="recorded_at")

    def call_events(self, key: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write an object of other log events."""
        self._write(CALL_EVENTS, key, rows, dated="recorded_at")

    def documents(self, key: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write an object's retrieved documents."""
        self._write(RETRIEVAL_DOCUMENTS, key, rows, dated="retrieved_at")

    def tool_calls(self, key: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write an object's tool calls."""
        self._write(TOOL_CALLS, key, rows, dated="called_at")

    def counters(self, key: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write an object of points that the source counted itself."""
        self._write(SOURCE_COUNTERS, key, rows, dated="measured_at")

    def facts(self, name: str, key: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write an object of business facts."""
        self._write(self._tables[f"fact_{name}"], key, rows, dated=self._fact_events[name])

    def ledger(self, key: str, **values: Any) -> None:
        """Write an object's line of the ledger."""
        own = {"status": "landed", "format": "otlp_json", "signal": "traces", **values}
        self._write(LEDGER, key, [own], dated="arrived_at")

    def quarantine(self, key: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write an object's records that could not be landed."""
        self._write(QUARANTINE, key, rows, dated="arrived_at")

    def night(self, name: str, **values: Any) -> None:
        """Write a source's line of a night."""
        self._write(LEDGER_NIGHTS, name, [{"source_name": name, "verdict": "ok", **values}])

    def redactions(self, key: str, counts: Mapping[str, int], **values: Any) -> None:
        """Write how many values of each type an object had."""
        rows = [{"entity_type": kind, "value_count": n, **values} for kind, n in counts.items()]
        self._write(REDACTION_COUNTS, key, rows, dated="arrived_at")

    def canaries(self, night: datetime, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write what became of a night's planted values."""
        own = [{"night_as_of": night, **row} for row in rows]
        self._write(REDACTION_CANARIES, night.isoformat(), own)

    def _write(
        self,
        table: Table,
        key: str,
        rows: Sequence[Mapping[str, Any]],
        *,
        dated: str | None = None,
    ) -> None:
        """Fill what the contract requires and write one file per event date."""
        full = [
            {**_required(table), "source_object": key, "source_offset": offset, **row}
            for offset, row in enumerate(rows)
        ]
        by_date: dict[Any, list[dict[str, Any]]] = {}
        for row in full:
            kept = {name: row.get(name) for name in table.column_names}
            by_date.setdefault(row[dated].date() if dated else None, []).append(kept)
        for day, day_rows in by_date.items():
            self._lake.write_rows(
                table, day_rows, self._lake.path_of(table.name, object_hash(key), day)
            )


def _required(table: Table) -> dict[str, Any]:
    """Return a value for every column that may not be null."""
    required = {c.name: _DEFAULTS[c.type] for c in table.columns if not c.nullable}
    return required | ({"arrived_at": ARRIVED_AT} if "arrived_at" in required else {})
