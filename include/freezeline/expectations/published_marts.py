"""What the marts must be like before verdicts are drawn from them and anybody reads them."""

from typing import Any, Literal

from include.freezeline.expectations.suite import SuiteBuilder

SUITE_NAME = "published_marts"
ROW_NAMES: dict[str, tuple[str, ...]] = {
    "fct_llm_calls": ("call_key",),
    "agg_feature_daily": ("feature", "environment", "request_model", "call_date"),
}
MartName = Literal["fct_llm_calls", "agg_feature_daily"]
MART_COLUMNS: dict[MartName, tuple[str, ...]] = {
    "fct_llm_calls": (
        "call_key",
        "feature",
        "environment",
        "called_at",
        "arrived_at",
        "as_of",
        "is_error",
        "is_canary",
        "sample_weight",
        "duration_ms",
        "ttft_ms",
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "cost_usd",
        "escalation_recorded_at",
        "override_recorded_at",
    ),
    "agg_feature_daily": (
        "feature",
        "environment",
        "request_model",
        "call_date",
        "n_calls",
        "call_count",
        "n_errors",
        "error_count",
        "n_escalated",
        "cost_usd",
    ),
}

_DAY_MS = 86_400_000.0
_PRICED_RATIO = 0.9
_BUG = "the build is wrong: run the dbt tests of the model, fix it, and build again"


def published_marts_suite(mart: MartName) -> Any:
    """Return the suite of one mart.

    The frame has a column ``as_of`` beside the mart's own: what the night may know.

    Args:
        mart: Name of the mart.
    """
    suite = SuiteBuilder(mart)
    (_expect_of_calls if mart == "fct_llm_calls" else _expect_of_days)(suite)
    return suite.build()


def _expect_of_calls(suite: SuiteBuilder) -> None:
    """Add what must hold for the calls."""
    suite.unique(("call_key",), f"one row per call, or tokens and cost count twice; {_BUG}")
    for column in ("call_key", "feature", "environment", "called_at", "is_error", "is_canary"):
        suite.not_null(column, f"always known; {_BUG}")
    suite.at_least("sample_weight", 1, f"a row stands for at least one call; {_BUG}")
    for column in ("called_at", "escalation_recorded_at", "override_recorded_at"):
        suite.not_before(
            "as_of",
            column,
            f"nothing after as_of may be known, or a re-run would judge with hindsight; {_BUG}",
            severity="critical",
        )
    for column in ("input_tokens", "output_tokens", "cost_usd"):
        suite.at_least(column, 0, f"never negative; {_BUG}")
    suite.not_before(
        "input_tokens", "cache_read_tokens", "cached tokens are part of the input tokens"
    )
    suite.not_null(
        "cost_usd",
        "calls without a price are missing from every cost; see unpriced_reason and add the "
        "model to config/price_overrides.yml",
        severity="warning",
        mostly=_PRICED_RATIO,
    )
    suite.between("duration_ms", 0, _DAY_MS, "calls last less than a day; look at the service")
    suite.not_before("duration_ms", "ttft_ms", "the first token comes before the last")


def _expect_of_days(suite: SuiteBuilder) -> None:
    """Add what must hold for the daily aggregate."""
    suite.has_rows(f"a night with calls has days; {_BUG}")
    suite.unique(
        ("feature", "environment", "request_model", "call_date"),
        f"one row per feature, environment, model and day; {_BUG}",
    )
    for column in ("feature", "environment", "call_date", "n_calls", "call_count"):
        suite.not_null(column, f"always known; {_BUG}")
    suite.at_least("n_calls", 1, f"a day without calls has no row; {_BUG}")
    for column in ("n_errors", "n_escalated", "cost_usd"):
        suite.at_least(column, 0, f"never negative; {_BUG}")
    parts = (("n_calls", "n_errors"), ("n_calls", "n_escalated"), ("call_count", "error_count"))
    for whole, part in parts:
        suite.not_before(
            whole, part, f"a part is never more than the whole; {_BUG}", severity="critical"
        )
    suite.not_before(
        "call_count", "n_calls", f"a row stands for at least one call; {_BUG}", severity="critical"
    )
