"""What a night's landed batch must be like before the warehouse is built from it."""

from typing import Any

from include.freezeline.contracts.columns import Column, Table
from include.freezeline.contracts.lake import SPANS
from include.freezeline.expectations.suite import SuiteBuilder

SUITE_NAME = "landed_batch"
SPAN_COLUMNS = (
    "trace_id",
    "span_id",
    "span_type",
    "feature",
    "environment",
    "started_at",
    "arrived_at",
    "duration_ms",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "ttft_ms",
    "status",
    "sample_weight",
    "source_object",
    "source_offset",
)

_SPAN_TYPES = (
    "llm",
    "embedding",
    "retrieval",
    "rerank",
    "tool",
    "agent",
    "workflow",
    "task",
    "guardrail",
    "evaluator",
    "other",
)
_DAY_MS = 86_400_000.0
_READER = "a reader made a row the contract forbids: open the objects in fct_landed_objects, fix the reader, land them again"
_PRODUCER = "look at the service that sends these spans"


def landed_batch_suite(table: Table) -> Any:
    """Return the suite of one landed table: the spans, or a business fact.

    Args:
        table: ``SPANS`` or the table of a fact.
    """
    return _spans_suite() if table.name == SPANS.name else _fact_suite(table)


def checked_columns(table: Table) -> tuple[str, ...]:
    """Return the columns the suite of a table looks at; texts are never read."""
    if table.name == SPANS.name:
        return SPAN_COLUMNS
    return tuple(c.name for c in table.columns if c.name in table.key or not c.nullable)


def _spans_suite() -> Any:
    """Return the suite of the spans."""
    suite = SuiteBuilder(SUITE_NAME, SPANS.name)
    suite.has_rows(_READER)
    suite.unique(("source_object", "source_offset"), f"one row per delivered record; {_READER}")
    suite.matches("trace_id", r"^[0-9a-f]{32}$", f"32 lower-case hex digits; {_READER}")
    suite.matches("span_id", r"^[0-9a-f]{16}$", f"16 lower-case hex digits; {_READER}")
    for column in ("trace_id", "span_id", "feature", "environment", "started_at"):
        suite.not_null(column, f"always known; {_READER}")
    suite.in_set("span_type", _SPAN_TYPES, f"a type of the contract; {_READER}")
    suite.in_set("status", ("ok", "error", "unset"), f"ok, error or unset; {_READER}")
    for column in ("input_tokens", "output_tokens", "cache_read_tokens"):
        suite.at_least(column, 0, f"a count is never negative; {_READER}")
    suite.at_least("sample_weight", 0, f"a weight is never negative; {_READER}")
    suite.between("duration_ms", 0, _DAY_MS, f"spans last less than a day; {_PRODUCER}")
    suite.between("ttft_ms", 0, _DAY_MS, f"first tokens come within a day; {_PRODUCER}")
    suite.not_before(
        "arrived_at", "started_at", f"spans arrive after they start; check its clock: {_PRODUCER}"
    )
    return suite.build()


def _fact_suite(table: Table) -> Any:
    """Return the suite of a business fact."""
    suite = SuiteBuilder(SUITE_NAME, table.name)
    suite.has_rows(_READER)
    suite.unique(("source_object", "source_offset"), f"one row per delivered record; {_READER}")
    for column in table.columns:
        if not column.nullable:
            suite.not_null(column.name, f"always known; {_READER}")
    event, recorded = _clocks(table)
    if not event.name.startswith("valid_from"):  # a change may be recorded before it takes effect
        suite.not_before(
            recorded.name,
            event.name,
            "a fact is recorded after it happened; ask the team that delivers it",
        )
    return suite.build()


def _clocks(table: Table) -> tuple[Column, Column]:
    """Return the columns that say when a fact happened and when it was recorded."""
    times = [table.column(n) for n in table.key if table.column(n).type == "timestamp"]
    return times[0], times[-1]
