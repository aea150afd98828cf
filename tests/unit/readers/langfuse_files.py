"""One set of exported Langfuse rows, written in every form that the export has."""

import csv
import gzip
import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Row = dict[str, Any]

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
GENERATION: Row = {
    "id": "00f067aa0ba902b7", "trace_id": TRACE_ID, "project_id": "prj-1",
    "environment": "production", "type": "GENERATION", "parent_observation_id": "a1b2c3d4e5f60718",
    "start_time": "2026-08-22 08:00:00.000", "end_time": "2026-08-22 08:00:02.000",
    "name": "answer", "metadata": {"tenant": "acme", "finish_reason": "stop"}, "level": "DEFAULT",
    "status_message": None, "version": None,
    "input": '[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi,\\n\\"you\\""}]',
    "output": '{"role":"assistant",\n "content":"Hello"}',
    "provided_model_name": "gpt-4.1-2025-04-14",
    "model_parameters": '{"temperature":0.2,"max_tokens":"Infinity"}',
    "usage_details": {"input": 36, "input_cached_tokens": 64, "output": 7,
                      "output_reasoning_tokens": 4, "total": 111},
    "cost_details": {"input": "0.000200000000", "output": "0.000050000000"},
    "completion_start_time": "2026-08-22 08:00:00.500", "prompt_name": "greet", "prompt_version": 3,
    "total_cost": "0.000250000000", "latency": 2.0, "time_to_first_token": 0.5, "model_id": "m-1",
    "created_at": "2026-08-22 08:00:03.000", "updated_at": "2026-08-22 08:00:04.000",
    "prompt_id": None, "tool_calls": [], "tool_call_names": [], "tool_definitions": {},
    "usage_pricing_tier_name": "Standard",
}  # fmt: skip
FAILED: Row = {
    **GENERATION, "id": "not-hex", "level": "ERROR", "status_message": "Error code: 429 - slow down",
    "parent_observation_id": None, "metadata": {}, "output": None, "usage_details": {},
    "cost_details": {}, "completion_start_time": None, "total_cost": None,
    "time_to_first_token": None, "prompt_name": None, "prompt_version": None,
}  # fmt: skip
RETRIEVER: Row = {
    **FAILED, "id": "a1b2c3d4e5f60718", "type": "RETRIEVER", "name": "kb", "level": "WARNING",
    "status_message": None, "provided_model_name": None, "model_parameters": None, "model_id": None,
    "input": "opening hours", "usage_pricing_tier_name": None,
    "output": '[{"id":"kb-1","text":"Nine to five.","score":0.9},{"id":"kb-2","score":0.4}]',
}  # fmt: skip
OBSERVATIONS = [GENERATION, FAILED, RETRIEVER]
TRACE: Row = {
    "id": TRACE_ID, "timestamp": "2026-08-22 07:59:59.000", "name": "chat",
    "environment": "production", "project_id": "prj-1", "metadata": {"tenant": "acme"},
    "user_id": "jo@example.com", "session_id": "s-1", "release": "v7", "version": None,
    "public": False, "bookmarked": False, "tags": ["beta"], "input": "Hi", "output": "Hello",
    "created_at": "2026-08-22 08:00:03.000", "updated_at": "2026-08-22 08:00:04.000",
}  # fmt: skip

_MAPS = {"metadata": pa.string(), "usage_details": pa.uint64(), "cost_details": pa.decimal128(18, 12),
         "tool_definitions": pa.string()}  # fmt: skip
_LISTS = ("tags", "tool_calls", "tool_call_names")
_TIMES = (
    "start_time",
    "end_time",
    "timestamp",
    "completion_start_time",
    "created_at",
    "updated_at",
)


def as_json_lines(rows: Sequence[Row]) -> bytes:
    """Return a row per line."""
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def as_json(rows: Sequence[Row]) -> bytes:
    """Return one array."""
    return json.dumps(rows).encode()


def as_csv(rows: Sequence[Row]) -> bytes:
    """Return comma-separated text; what is no text or number is JSON, and null is empty."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(rows[0])
    for row in rows:
        writer.writerow(_cell(value) for value in row.values())
    return text.getvalue().encode()


def as_parquet(rows: Sequence[Row]) -> bytes:
    """Return Parquet with the types that the export gives its columns."""
    sink = io.BytesIO()
    pq.write_table(pa.table({name: _column(name, rows) for name in rows[0]}), sink)
    return sink.getvalue()


def every_form(rows: Sequence[Row]) -> Mapping[str, bytes]:
    """Return the files by the format that the ledger gives them, packed text ones included."""
    return {
        "langfuse_export_json_lines": as_json_lines(rows),
        "langfuse_export_json": as_json(rows),
        "langfuse_export_csv": as_csv(rows),
        "langfuse_export_parquet": as_parquet(rows),
    }


def packed(data: bytes) -> bytes:
    """Return gzip bytes that do not depend on the clock."""
    return gzip.compress(data, mtime=0)


def _cell(value: Any) -> Any:
    """Return a CSV field."""
    return json.dumps(value) if isinstance(value, dict | list | bool) else value


def _column(name: str, rows: Sequence[Row]) -> pa.Array:
    """Return a column with its type."""
    values = [row[name] for row in rows]
    if name in _MAPS:
        kind = _MAPS[name]
        made = [[(key, _map_value(item, kind)) for key, item in each.items()] for each in values]
        return pa.array(made, type=pa.map_(pa.string(), kind))
    if name in _LISTS:
        return pa.array(values, type=pa.list_(pa.string()))
    if name in _TIMES:
        times = [each and datetime.fromisoformat(each).replace(tzinfo=UTC) for each in values]
        return pa.array(times, type=pa.timestamp("ms", tz="UTC"))
    if name == "total_cost":
        return pa.array([each and Decimal(each) for each in values], type=pa.decimal128(18, 12))
    return pa.array(values)


def _map_value(value: Any, kind: pa.DataType) -> Any:
    """Return a value of a map."""
    return Decimal(value) if pa.types.is_decimal(kind) else value
