"""What a night's landed spans must be like before the warehouse is built from them."""

from typing import Any

from include.freezeline.contracts.lake import SPANS
from include.freezeline.expectations.suite import SuiteBuilder

SUITE_NAME = "landed_batch"
ROW_NAME = ("source_object", "source_offset")
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
READER_REMEDY = "a reader made a row the contract forbids: open the objects in fct_landed_objects, fix the reader, land them again"
_PRODUCER = "look at the service that sends these spans"


def landed_batch_suite() -> Any:
    """Return the suite of the spans."""
    suite = SuiteBuilder(SPANS.name)
    suite.has_rows(READER_REMEDY)
    suite.unique(ROW_NAME, f"one row per delivered record; {READER_REMEDY}")
    suite.matches("trace_id", r"^[0-9a-f]{32}$", f"32 lower-case hex digits; {READER_REMEDY}")
    suite.matches("span_id", r"^[0-9a-f]{16}$", f"16 lower-case hex digits; {READER_REMEDY}")
    for column in ("trace_id", "span_id", "feature", "environment", "started_at"):
        suite.not_null(column, f"always known; {READER_REMEDY}")
    suite.in_set("span_type", _SPAN_TYPES, f"a type of the contract; {READER_REMEDY}")
    suite.in_set("status", ("ok", "error", "unset"), f"ok, error or unset; {READER_REMEDY}")
    for column in ("input_tokens", "output_tokens", "cache_read_tokens"):
        suite.at_least(column, 0, f"a count is never negative; {READER_REMEDY}")
    suite.at_least("sample_weight", 0, f"a weight is never negative; {READER_REMEDY}")
    suite.between("duration_ms", 0, _DAY_MS, f"spans last less than a day; {_PRODUCER}")
    suite.between("ttft_ms", 0, _DAY_MS, f"first tokens come within a day; {_PRODUCER}")
    suite.not_before(
        "arrived_at", "started_at", f"spans arrive after they start; check its clock: {_PRODUCER}"
    )
    return suite.build()
