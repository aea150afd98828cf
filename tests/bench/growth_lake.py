"""A lake of any size for benches, written by DuckDB: calls, what hangs on them, and late outcomes.

A day has so many model calls, each in a trace with a wrapping span, some with a retrieval and a
tool; one call in a hundred begins before midnight and ends after it. One span in two hundred
arrives up to four days late, outcomes up to two days after their calls, feedback on the next day.
The same numbers give the same rows.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from include.freezeline.adapters.lake import object_hash
from include.freezeline.adapters.warehouse import _SQL_TYPES as SQL_TYPES
from include.freezeline.contracts.columns import Table
from include.freezeline.jobs.build import lake_tables
from include.freezeline.settings import Settings

FIRST_DAY = datetime(2026, 3, 1, tzinfo=UTC)
# Arrivals of one day's spans lie in so many objects.
N_OBJECTS = 8
_TEXT = "repeat('What the customer asked and was told, in words that mean little here. ', 6)"
_NUMBERED = "select i, md5($day || ' ' || i) as trace_id from range($n) as r(i)"
# Start of a call, in seconds of its day: one in a hundred just before midnight.
_SECOND = "(case when i % 100 = 0 then 86399 else (i * 7919) % 86000 end)"
# Days after its own on which a row arrives.
_SPAN_DELAY = "(case when i % 100 = 0 then 1 when i % 200 = 7 then 1 + (i // 200) % 4 else 0 end)"
_AFTER_MIDNIGHT = "(case when i % 100 = 0 then 1 else 0 end)"


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one table that belong to one day.

    Attributes:
        table: Lake table.
        event: Its event column.
        where: Which of the day's numbered calls have such a row.
        delay_days: SQL of the days after which it arrives.
        columns: SQL of its columns; others are null, or a constant where null is not allowed.
    """

    table: str
    event: str
    where: str
    delay_days: str
    columns: Mapping[str, str]


_BASE = {
    "dialect": "'otel_genai'", "span_name": "'chat'", "otel_kind": "3", "status": "'ok'",
    "trace_id": "trace_id", "environment": "'production'", "consent": "'granted'",
    "feature": "'feature-' || i % 4", "is_clock_skewed": "false", "sample_weight": "1.0",
    "tenant_key": "'tenant-' || i % 60", "user_key": "'user-' || (i * 31) % 4000",
    "session_key": "'session-' || trace_id", "request_id": "'request-' || trace_id",
    "service_name": "'service-' || i % 3", "data_class": "'internal'",
    "started_at": f"$at + to_seconds({_SECOND})",
}  # fmt: skip
_CALL = _BASE | {
    "span_id": "left(md5('call' || trace_id), 16)", "span_type": "'llm'",
    "parent_span_id": "left(trace_id, 16)", "is_leaf_model_call": "true",
    "started_at": f"$at + to_seconds({_SECOND} + 2)",
    "ended_at": f"$at + to_seconds({_SECOND} + 4 + i % 3)",
    "duration_ms": "2000.0 + (i * 37) % 3000", "ttft_ms": "100.0 + (i * 13) % 900",
    "tpot_ms": "10.0 + (i * 7) % 40", "provider": "'openai'", "is_stream": "i % 2 = 0",
    "request_model": "case i % 3 when 0 then 'gpt-4.1' when 1 then 'gpt-4.1-mini' else 'gpt-4o' end",
    "response_model": "case i % 3 when 0 then 'gpt-4.1' when 1 then 'gpt-4.1-mini' else 'gpt-4o' end",
    "response_id": "'resp-' || trace_id", "input_tokens": "200 + (i * 101) % 5000",
    "output_tokens": "20 + (i * 53) % 900", "cache_read_tokens": "(i * 11) % 150",
    "finish_reasons": "['stop']", "prompt_name": "'prompt-' || i % 4",
    "prompt_version": "'v' || $number // 20", "locale": "case i % 3 when 0 then 'en-US' else 'de-DE' end",
    "route": "'/route/' || i % 12", "input_text_redacted": f"{_TEXT} || trace_id",
    "output_text_redacted": f"trace_id || {_TEXT}", "input_text_chars": "450",
    "output_text_chars": "450", "output_text_words": "80",
    "error_class": "case when i % 50 = 3 then 'timeout' end",
}  # fmt: skip
_FACT = {"request_id": "'request-' || trace_id"}
PARTS: tuple[Part, ...] = (
    Part("spans", "started_at", "true", "0", _BASE | {
        "span_id": "left(trace_id, 16)", "span_type": "'workflow'", "is_leaf_model_call": "false",
        "ended_at": f"$at + to_seconds({_SECOND} + 8)", "duration_ms": "8000.0",
    }),
    Part("spans", "started_at", "true", _SPAN_DELAY, _CALL),
    Part("spans", "started_at", "i % 5 < 2", "0", _BASE | {
        "span_id": "left(md5('search' || trace_id), 16)", "span_type": "'retrieval'",
        "is_leaf_model_call": "false", "retrieved_document_count": "i % 7",
        "ended_at": f"$at + to_seconds({_SECOND} + 1)", "duration_ms": "900.0",
    }),
    Part("tool_calls", "called_at", "i % 10 = 0", _AFTER_MIDNIGHT, {
        "trace_id": "trace_id", "span_id": "left(md5('call' || trace_id), 16)",
        "call_index": "0", "role": "'requested'", "tool_name": "'search'",
        "tool_call_id": "'tool-' || trace_id", "called_at": f"$at + to_seconds({_SECOND} + 2)",
    }),
    Part("evaluations", "evaluated_at", "i % 10 = 1", "0", {
        "trace_id": "trace_id", "span_id": "left(md5('call' || trace_id), 16)",
        "evaluation_name": "'refusal'", "evaluation_score": "cast(i % 20 = 1 as int)",
        "annotator_kind": "'model'", "carrier": "'log_event'",
        "evaluated_at": f"$at + to_seconds({_SECOND} + 10)",
    }),
    Part("evaluations", "evaluated_at", "i % 33 = 2", "1", {
        "trace_id": "trace_id", "span_id": "left(md5('call' || trace_id), 16)",
        "evaluation_name": "'thumbs'", "evaluation_score": "i % 2", "carrier": "'log_event'",
        "annotator_kind": "'human'", "evaluated_at": "$at + to_hours(cast(24 + i % 12 as bigint))",
    }),
    Part("fact_escalations", "escalated_at", "i % 50 = 4", "(i // 50) % 3", _FACT | {
        "escalated_at": f"$at + to_seconds({_SECOND} + 600)", "reason_code": "'unhappy'",
        "recorded_at": f"$at + to_seconds({_SECOND} + 700)",
    }),
    Part("fact_conversions", "converted_at", "i % 20 = 5", "(i // 20) % 3", _FACT | {
        "converted_at": f"$at + to_seconds({_SECOND} + 900)", "value_usd": "20.0",
        "recorded_at": f"$at + to_seconds({_SECOND} + 1000)",
    }),
)  # fmt: skip


class GrowthLake:
    """Writes days into the lake of some settings."""

    def __init__(self, settings: Settings, n_calls: int) -> None:
        """Use the settings' lake, with so many calls a day."""
        self._root, self._n_calls = settings.lake_dir, n_calls
        self._tables = {table.name: table for table in lake_tables(settings)}
        self._connection = duckdb.connect()
        self._connection.execute("set TimeZone = 'UTC'")

    def arrive(self, number: int) -> None:
        """Write what arrives on a day: its own rows, and late ones of the days before."""
        for table in dict.fromkeys(part.table for part in PARTS):
            parts = [part for part in PARTS if part.table == table]
            selects = [
                self._select(part, number - delay, delay)
                for delay in range(min(5, number + 1))
                for part in parts
            ]
            self._write(
                self._tables[table], parts[0].event, " union all by name ".join(selects), number
            )
        self._write_ledger(number)

    def _select(self, part: Part, number: int, delay: int) -> str:
        """Return the query of a part's rows of one day that arrive so many days later."""
        at = FIRST_DAY + timedelta(days=number)
        columns = ", ".join(f"{sql} as {name}" for name, sql in part.columns.items())
        sql = (
            f"select {columns}, i % {N_OBJECTS} as place from ({_NUMBERED}) "
            f"where ({part.where}) and ({part.delay_days}) = {delay}"
        )
        values = {"$day": f"'{at:%Y-%m-%d}'", "$at": f"timestamptz '{at.isoformat()}'",
                  "$number": str(number), "$n": str(self._n_calls)}  # fmt: skip
        for name, value in values.items():
            sql = sql.replace(name, value)
        return sql

    def _write(self, table: Table, event: str, rows: str, number: int) -> None:
        """Write the rows that arrive on a day as objects, one file for each of their days."""
        arrived = FIRST_DAY + timedelta(days=number, hours=20)
        self._connection.execute(f"create or replace temp table arriving as {rows}")
        known = {row[0] for row in self._connection.execute("describe arriving").fetchall()}
        places = self._connection.execute(
            f"select distinct cast({event} as date), place from arriving order by all"
        ).fetchall()
        for day, place in places:
            key = f"{table.name}/{number}/{place}"
            select = ", ".join(
                _column(table, name, known, key, arrived) for name in table.column_names
            )
            path = self._root / table.name / f"dt={day}" / f"{object_hash(key)}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection.execute(
                f"copy (select {select} from arriving where place = {place} "
                f"and cast({event} as date) = '{day}') to '{path}' (format parquet, codec zstd)"
            )

    def _write_ledger(self, number: int) -> None:
        """Write the day's ledger."""
        arrived = FIRST_DAY + timedelta(days=number, hours=20)
        table, path = self._tables["ledger"], self._root / "ledger" / f"dt={arrived:%Y-%m-%d}"
        rows = " union all ".join(
            f"select 'spans/{number}/{p}' as source_object" for p in range(N_OBJECTS)
        )
        given = {"source_object": "source_object", "status": "'landed'", "signal": "'traces'",
                 "object_size_bytes": "1000000", "format": "'otlp_json'",
                 "night_as_of": f"timestamptz '{(FIRST_DAY + timedelta(days=number + 1)).isoformat()}'"}  # fmt: skip
        select = ", ".join(
            f"cast({given[name]} as {_type(table, name)}) as {name}" if name in given
            else _column(table, name, set(), "", arrived) for name in table.column_names
        )  # fmt: skip
        path.mkdir(parents=True, exist_ok=True)
        self._connection.execute(
            f"copy (select {select} from ({rows})) to '{path}/part.parquet' (format parquet)"
        )


def files_of(root: Path, days: Sequence[str]) -> list[Path]:
    """Return the lake's files of some days."""
    return [path for day in days for path in sorted(root.glob(f"*/dt={day}/*.parquet"))]


def _column(table: Table, name: str, known: set[str], key: str, arrived: datetime) -> str:
    """Return the SQL of one column of the contract."""
    fixed = {"source_object": f"'{key}'", "source_sha256": f"'{hashlib.sha256(key.encode()).hexdigest()}'",
             "arrived_at": f"timestamptz '{arrived.isoformat()}'"}  # fmt: skip
    if name in fixed:
        value = fixed[name]
    elif name == "source_offset" and name not in known:
        value = "row_number() over ()"
    elif name in known:
        value = f'"{name}"'
    else:
        value = "null" if table.column(name).nullable else _EMPTY[_type(table, name)]
    return f"cast({value} as {_type(table, name)}) as {name}"


def _type(table: Table, name: str) -> str:
    """Return a column's type in DuckDB."""
    return SQL_TYPES[table.column(name).type]


_EMPTY = {"varchar": "''", "bigint": "0", "integer": "0", "tinyint": "0", "boolean": "false",
          "double": "0", "timestamptz": "timestamptz '2026-01-01 00:00:00+00'"}  # fmt: skip
