"""Marts from priced calls, with pandas: the part of ``night_pandas`` that selects and groups."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

OUTCOMES: tuple[tuple[str, str, Mapping[str, str]], ...] = (
    ("escalations", "is_escalated", {"escalated_at": "escalated_at", "recorded_at": "escalation_recorded_at"}),
    ("overrides", "is_overridden", {"overridden_at": "overridden_at", "recorded_at": "override_recorded_at"}),
    ("conversions", "is_converted", {"value_usd": "conversion_value_usd"}),
)  # fmt: skip
LLM_CALL_COLUMNS = [
    "call_key", "trace_id", "span_id", "dialect", "request_id", "service_name", "feature",
    "environment", "tenant_key", "tenant_tier", "user_key", "session_key", "route", "locale",
    "provider", "request_model", "response_model", "response_id", "system_fingerprint",
    "service_tier", "prompt_name", "prompt_version", "prompt_hash", "temperature", "top_p",
    "max_tokens", "seed", "reasoning_level", "experiment_name", "experiment_bucket_name",
    "called_at", "call_date", "canary_id", "is_canary", "is_stream", "duration_ms",
    "is_clock_skewed", "queue_ms", "prefill_ms", "decode_ms", "ttft_ms", "ttft_source", "tpot_ms",
    "tpot_source", "chunk_count", "chunk_gap_p50_ms", "chunk_gap_p99_ms", "chunk_gap_max_ms",
    "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens",
    "reasoning_tokens", "total_tokens", "is_gateway_cache_hit", "cost_usd", "cost_today_usd",
    "price_source", "unpriced_reason", "cost_reported_usd", "finish_reason", "is_error",
    "error_class", "error_type", "http_status_code", "input_text_chars", "output_text_chars",
    "output_text_words", "data_class", "consent", "is_text_withheld", "sample_weight",
    "retrieved_document_count", "is_retrieval_empty", "is_escalated", "escalated_at",
    "escalation_recorded_at", "is_overridden", "overridden_at", "override_recorded_at",
    "is_converted", "conversion_value_usd", "arrived_at",
]  # fmt: skip
CALL_COST_COLUMNS = [
    "call_key", "trace_id", "span_id", "feature", "environment", "tenant_key", "user_key",
    "prompt_name", "prompt_version", "called_at", "call_date", "is_canary", "cost_reported_usd",
    "sample_weight", "arrived_at",
]  # fmt: skip
COSTS = (
    "cost_input_usd", "cost_cache_read_usd", "cost_cache_write_usd", "cost_output_usd", "cost_usd",
    "cost_today_usd",
)  # fmt: skip
DIMENSIONS = {
    "environment": ["environment"],
    "feature": ["feature", "environment"],
    "tenant": ["tenant_key", "environment", "feature"],
    "model": ["request_model", "environment", "feature"],
    "prompt_version": ["prompt_version", "environment", "feature", "prompt_name"],
    "route": ["route", "environment", "feature"],
}
QUANTILES = {
    "duration_ms": (0.5, 0.95, 0.99), "ttft_ms": (0.5, 0.95, 0.99), "tpot_ms": (0.5, 0.95, 0.99),
    "chunk_gap_p99_ms": (0.5, 0.99), "queue_ms": (0.5, 0.95, 0.99),
    "input_tokens": (0.25, 0.5, 0.75, 0.9, 0.95, 0.99), "output_tokens": (0.25, 0.5, 0.75, 0.9),
    "total_tokens": (0.25, 0.5, 0.75, 0.9), "cost_usd": (0.25, 0.5, 0.75, 0.9),
}  # fmt: skip
COUNTED = {
    "duration_ms": "n_durations", "ttft_ms": "n_ttfts", "tpot_ms": "n_tpots",
    "chunk_gap_p99_ms": "n_chunk_gaps", "queue_ms": "n_queues", "input_tokens": "n_input_tokens",
    "output_tokens": "n_output_tokens", "cache_read_tokens": "n_cache_reads",
    "finish_reason": "n_finish_reasons", "is_retrieval_empty": "n_retrievals",
}  # fmt: skip
ERROR_CLASSES = (
    "rate_limit", "context_length_exceeded", "timeout", "invalid_api_key", "content_filter",
    "server_error", "cancelled", "other",
)  # fmt: skip
FINISH_REASONS = ("stop", "length", "tool_call", "content_filter", "error", "other")
TOKEN_KINDS = ("input", "output", "cache_read", "cache_write", "reasoning", "total")


def llm_calls(calls: pd.DataFrame, priced: pd.DataFrame) -> pd.DataFrame:
    """Return ``fct_llm_calls``."""
    names = ["cost_usd", "cost_today_usd", "price_source", "unpriced_reason"]
    joined = calls.assign(**{name: priced[name] for name in names})
    is_empty = (calls.retrieved_document_count == 0).astype(object)
    joined["is_retrieval_empty"] = is_empty.where(calls.retrieved_document_count.notna(), None)
    return joined[LLM_CALL_COLUMNS].sort_values(["called_at", "call_key"], ignore_index=True)


def call_costs(calls: pd.DataFrame, priced: pd.DataFrame) -> pd.DataFrame:
    """Return ``fct_call_costs``."""
    left = priced.drop(columns=["call_key", "called_at", "second_s", "input_tokens", "has_known_tokens", "not_billed_reason"])  # fmt: skip
    named = left.rename(columns={"service_tier": "price_tier", "is_repeated": "is_gateway_cache_hit"})  # fmt: skip
    joined = pd.concat([calls[CALL_COST_COLUMNS], named], axis=1)
    joined["cost_reported_gap_usd"] = joined.cost_usd - joined.cost_reported_usd.astype(float)
    return joined.sort_values(["called_at", "call_key"], ignore_index=True)


def feature_daily(calls: pd.DataFrame) -> pd.DataFrame:
    """Return ``agg_feature_daily``."""
    organic = calls[~calls.is_canary].assign(is_unpriced=calls.cost_usd.isna())
    grouped = organic.groupby(
        ["feature", "environment", "request_model", "call_date"], dropna=False
    )
    out = pd.DataFrame({"n_calls": grouped.size(), "n_requests": grouped.request_id.nunique()})
    out["n_errors"] = grouped.is_error.sum()
    out["error_ratio"] = out.n_errors / out.n_calls
    for name in ("duration_ms", "ttft_ms", "tpot_ms"):
        out[COUNTED[name]] = grouped[name].count()
        for fraction in QUANTILES[name] if name == "duration_ms" else (0.5, 0.95):
            out[quantile_name(name, fraction)] = grouped[name].quantile(fraction)
    for kind in ("input", "output"):
        out[f"n_{kind}_tokens"] = grouped[f"{kind}_tokens"].count()
        out[f"{kind}_mean_tokens"] = grouped[f"{kind}_tokens"].mean()
    for kind in ("input", "output", "total"):
        out[f"{kind}_sum_tokens"] = grouped[f"{kind}_tokens"].sum(min_count=1)
    out["cost_usd"] = grouped.cost_usd.sum(min_count=1)
    out["n_unpriced_calls"] = grouped.is_unpriced.sum()
    out["n_retrievals"] = grouped.is_retrieval_empty.count()
    for flag, name in (
        ("is_retrieval_empty", "n_empty_retrievals"),
        ("is_escalated", "n_escalated"),
        ("is_overridden", "n_overridden"),
        ("is_converted", "n_converted"),
    ):
        out[name] = grouped[flag].sum().astype(float)
    out["empty_retrieval_ratio"] = out.n_empty_retrievals / out.n_retrievals.replace(0, np.nan)
    return out.reset_index()


def call_statistics(calls: pd.DataFrame, period: str) -> pd.DataFrame:
    """Return ``agg_calls_hourly`` or ``agg_calls_daily``."""
    measured = _measured(calls[~calls.is_canary], period)
    rows = []
    for dimension, keys in DIMENSIONS.items():
        grouped = measured.groupby([*keys, "period_started_at"], dropna=False)
        row = _statistics(grouped).reset_index()
        row["dimension_value"] = row[keys[0]]
        kept = set(keys) - {keys[0]} | {"environment"} | ({"feature"} & set(keys))
        row = row.drop(columns=[key for key in keys if key not in kept])
        rows.append(row.assign(dimension=dimension))
    return pd.concat(rows, ignore_index=True)


def _measured(calls: pd.DataFrame, period: str) -> pd.DataFrame:
    """Return what is summed of each call."""
    is_repeated = calls.is_gateway_cache_hit.fillna(value=False).astype(bool)
    out = calls.assign(
        period_started_at=calls.called_at.dt.floor(period),
        cache_read_tokens=calls.cache_read_tokens.mask(is_repeated),
        cacheable_tokens=calls.input_tokens.mask(is_repeated),
        is_unpriced=calls.cost_usd.isna(),
        n_empty_retrievals=calls.is_retrieval_empty.fillna(value=False).astype(bool),
    )
    is_known = out.output_tokens.notna() & out.duration_ms.notna()
    exact_ms = _half_up(out.duration_ms)
    out["output_ms"] = exact_ms * out.output_tokens
    out["timed_tokens"] = out.output_tokens.where(is_known)
    out["timed_ms"] = exact_ms.where(is_known)
    out["whole_tokens"] = out.total_tokens.where(out.output_tokens.notna())
    out["part_tokens"] = out.output_tokens.where(out.total_tokens.notna())
    out["hit_tokens"] = np.minimum(out.cache_read_tokens.fillna(0), out.cacheable_tokens)
    for name in ERROR_CLASSES:
        out[f"error_{name}_count"] = out.error_class == name
    for name in FINISH_REASONS:
        out[f"finish_{name}_count"] = out.finish_reason == name
    return out


def _half_up(duration_ms: pd.Series) -> pd.Series:
    """Round to microseconds as a cast to decimal does; pandas rounds halves to even."""
    return np.floor(duration_ms * 1000.0 + 0.5) / 1000.0


def _statistics(grouped: "pd.api.typing.DataFrameGroupBy") -> pd.DataFrame:
    """Return the statistics of every group."""
    flags = [f"error_{name}_count" for name in ERROR_CLASSES]
    flags += [f"finish_{name}_count" for name in FINISH_REASONS]
    sums = ["output_ms", "timed_tokens", "timed_ms", "whole_tokens", "part_tokens", "hit_tokens", "cacheable_tokens"]  # fmt: skip
    amounts = [*(f"{kind}_tokens" for kind in TOKEN_KINDS), "cost_usd", *sums]
    counts = grouped[list(COUNTED)].count().rename(columns=COUNTED)
    out = pd.concat([grouped[flags].sum(), grouped[amounts].sum(min_count=1), counts], axis=1)
    out = out.rename(columns={f"{kind}_tokens": f"{kind}_sum_tokens" for kind in TOKEN_KINDS})
    out["n_calls"] = grouped.size()
    out["n_errors"] = grouped.is_error.sum()
    out["error_ratio"] = out.n_errors / out.n_calls
    out["n_unpriced_calls"] = grouped.is_unpriced.sum()
    out["n_empty_retrievals"] = grouped.n_empty_retrievals.sum()
    out["empty_retrieval_ratio"] = out.n_empty_retrievals / out.n_retrievals.replace(0, np.nan)
    out["token_weighted_duration_ms"] = out.output_ms / out.timed_tokens.replace(0, np.nan)
    out["output_tokens_per_s"] = 1000 * out.timed_tokens / out.timed_ms.replace(0, np.nan)
    out["token_efficiency_ratio"] = out.part_tokens / out.whole_tokens.replace(0, np.nan)
    hit_ratio = out.hit_tokens / out.cacheable_tokens.replace(0, np.nan)
    out["cache_hit_ratio"] = hit_ratio.where(out.n_cache_reads > 0)
    fractions = sorted({f for each in QUANTILES.values() for f in each})
    quantiles = grouped[list(QUANTILES)].quantile(fractions)
    for column, wanted in QUANTILES.items():
        for fraction in wanted:
            out[quantile_name(column, fraction)] = quantiles[column].xs(fraction, level=-1)
    return out.drop(columns=sums)


def cost_hourly(costs: pd.DataFrame) -> pd.DataFrame:
    """Return ``agg_cost_hourly``."""
    groups = [
        "hour_started_at", "environment", "feature", "tenant_key", "prompt_name", "prompt_version",
        "provider", "model", "price_tier", "is_canary", "call_date",
    ]  # fmt: skip
    rows = costs.assign(
        hour_started_at=costs.called_at.dt.floor("h"),
        cache_write=costs.billable_cache_write_tokens + costs.billable_cache_write_1h_tokens,
        output=costs.billable_output_tokens + costs.billable_reasoning_tokens,
    )
    sums = {
        "served_tokens": "served_sum_tokens",
        "provider_tokens": "provider_sum_tokens",
        "billable_tokens": "billable_sum_tokens",
        "billable_input_tokens": "billable_input_sum_tokens",
        "billable_cache_read_tokens": "billable_cache_read_sum_tokens",
        "cache_write": "billable_cache_write_sum_tokens",
        "output": "billable_output_sum_tokens",
        "billable_reasoning_tokens": "billable_reasoning_sum_tokens",
    }
    out = _cost_sums(rows, groups, [*sums, *COSTS]).rename(columns=sums)
    hits = rows.groupby(groups, dropna=False).is_gateway_cache_hit.sum()
    return out.assign(gateway_cache_hit_count=hits).reset_index()


def user_cost_daily(costs: pd.DataFrame) -> pd.DataFrame:
    """Return ``agg_user_cost_daily``."""
    groups = ["tenant_key", "user_key", "environment", "feature", "call_date", "is_canary"]
    out = _cost_sums(costs, groups, ["billable_tokens", "cost_usd", "cost_today_usd"])
    return out.rename(columns={"billable_tokens": "billable_sum_tokens"}).reset_index()


def _cost_sums(rows: pd.DataFrame, groups: Sequence[str], sums: Sequence[str]) -> pd.DataFrame:
    """Return sums and counts of every group; a sum of nothing known is null."""
    grouped = rows.assign(is_unpriced=rows.cost_usd.isna()).groupby(list(groups), dropna=False)
    out = grouped[list(sums)].sum(min_count=1)
    return out.assign(n_calls=grouped.size(), n_unpriced_calls=grouped.is_unpriced.sum())


def quantile_name(column: str, fraction: float) -> str:
    """Return the column's name with the quantile before the unit.

    Examples:
        >>> quantile_name("duration_ms", 0.95)
        'duration_p95_ms'
    """
    *words, unit = column.split("_")
    return f"{'_'.join(words)}_p{fraction * 100:.0f}_{unit}"
