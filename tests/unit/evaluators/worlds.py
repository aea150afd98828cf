"""A small warehouse with answers to evaluate, made by hand."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from include.freezeline.adapters.warehouse import Warehouse
from tests.unit.stats.texts import make_window

AS_OF = datetime(2026, 10, 14, tzinfo=UTC)
_TABLES = """
create schema marts;
create table marts.fct_llm_calls (call_key varchar, trace_id varchar, called_at timestamptz);
create table marts.fct_call_texts (
    call_key varchar, feature varchar, environment varchar, request_model varchar,
    prompt_version varchar, called_at timestamptz, canary_id varchar,
    input_text_redacted varchar, output_text_redacted varchar
);
create table marts.fct_evaluations (
    call_key varchar, evaluation_kind varchar, is_bad boolean, annotator_kind varchar,
    evaluated_at timestamptz
);
create table marts.fct_feedback (
    call_key varchar, is_positive boolean, evaluated_at timestamptz
);
"""
FEATURE, ENVIRONMENT, MODEL = "help-desk", "production", "gpt-4.1-mini"


def make_tables(warehouse: Warehouse) -> None:
    """Make the marts that evaluating reads."""
    for statement in _TABLES.split(";"):
        if statement.strip():
            warehouse.execute(statement)


def add_call(
    warehouse: Warehouse,
    key: str,
    prompt: str | None,
    answer: str | None,
    *,
    called_at: datetime = AS_OF - timedelta(hours=6),
    feature: str = FEATURE,
    canary_id: str | None = None,
) -> None:
    """Write one call with its text."""
    warehouse.execute(
        "insert into marts.fct_llm_calls values (?, ?, ?)", [key, f"trace-{key}", called_at]
    )
    warehouse.execute(
        "insert into marts.fct_call_texts values (?, ?, ?, ?, 'v1', ?, ?, ?, ?)",
        [key, feature, ENVIRONMENT, MODEL, called_at, canary_id, prompt, answer],
    )


def add_days(warehouse: Warehouse, *, n_earlier: int = 200, n_last: int = 30) -> None:
    """Write ordinary answers: earlier ones over a fortnight, and those of the last day."""
    prompts, answers = make_window(n_earlier + n_last, np.random.default_rng(5))
    for i, (prompt, answer) in enumerate(zip(prompts, answers, strict=True)):
        hours = 6 + i % 12 if i < n_last else 30 + i % (13 * 24)
        add_call(
            warehouse, f"call-{i:04d}", prompt, answer, called_at=AS_OF - timedelta(hours=hours)
        )


def label(warehouse: Warehouse, key: str, kind: str, *, is_bad: bool) -> None:
    """Let a person evaluate an answer."""
    warehouse.execute(
        "insert into marts.fct_evaluations values (?, ?, ?, 'human', ?)",
        [key, kind, is_bad, AS_OF - timedelta(days=1)],
    )


def write_documents(
    lake: Path, rows: list[tuple[str, int, str | None, datetime, bool | None]]
) -> None:
    """Write retrieved documents: call, rank, content, when, and whether it was packed."""
    for number, (key, rank, content, retrieved_at, is_packed) in enumerate(rows):
        path = (
            lake / "retrieval_documents" / f"dt={retrieved_at:%Y-%m-%d}" / f"{number:032d}.parquet"
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        row = {
            "trace_id": f"trace-{key}", "span_id": "s", "document_rank": rank,
            "content_redacted": content, "is_packed": is_packed, "retrieved_at": retrieved_at,
            "arrived_at": retrieved_at,
        }  # fmt: skip
        pq.write_table(pa.Table.from_pylist([row], schema=_DOCUMENTS), path)


_DOCUMENTS = pa.schema(
    [
        ("trace_id", pa.string()), ("span_id", pa.string()), ("document_rank", pa.int32()),
        ("content_redacted", pa.string()), ("is_packed", pa.bool_()),
        ("retrieved_at", pa.timestamp("us", "UTC")), ("arrived_at", pa.timestamp("us", "UTC")),
    ]
)  # fmt: skip
