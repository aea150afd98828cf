"""The same marts with pandas, written straightforwardly: what the warehouse is measured against.

Reads the lake that the dbt models read and computes ``fct_llm_calls``, ``fct_call_costs``,
``agg_feature_daily``, ``agg_calls_hourly``, ``agg_calls_daily``, ``agg_cost_hourly`` and
``agg_user_cost_daily``. A test compares every row and column it computes with the warehouse's.

It does less than the models, never more: no weights of sampled calls (it refuses such a lake), no
evaluations, no packed documents, no answers that only log events or uploads carry, no keys of
aggregates, no data tests, nothing kept on disk. Money is whole picodollars, since floats cannot
be compared.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from include.freezeline.contracts.lake import SPANS
from tests.bench import night_pandas_marts as marts
from tests.bench.night_pandas_costs import bill_tokens, price_calls

# Of a span that is no model call only these matter.
TRACE_COLUMNS = [
    "feature", "environment", "request_id", "tenant_key", "user_key", "session_key", "route",
    "locale", "canary_id",
]  # fmt: skip
SPAN_COLUMNS = [
    "trace_id", "span_id", "dialect", "service_name", *TRACE_COLUMNS, "provider", "request_model",
    "response_model", "response_id", "system_fingerprint", "service_tier", "prompt_name",
    "prompt_version", "prompt_hash", "temperature", "top_p", "max_tokens", "seed",
    "reasoning_level", "started_at", "ended_at", "is_stream", "duration_ms", "is_clock_skewed",
    "queue_ms", "prefill_ms", "decode_ms", "ttft_ms", "ttft_source", "tpot_ms", "tpot_source",
    "chunk_count", "chunk_gap_p50_ms", "chunk_gap_p99_ms", "chunk_gap_max_ms", "input_tokens",
    "output_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens",
    "reasoning_tokens", "web_search_count", "is_gateway_cache_hit", "cost_reported_usd", "status",
    "finish_reasons", "error_class", "error_type", "http_status_code", "input_text_chars",
    "output_text_chars", "output_text_words", "data_class", "consent", "is_text_withheld",
    "sample_weight", "span_type", "is_leaf_model_call", "retrieved_document_count",
    "collapsed_span_count", "source_object", "source_offset", "arrived_at",
]  # fmt: skip
PICO = 10**12


def compute_marts(lake: Path, as_of: datetime) -> dict[str, pd.DataFrame]:
    """Return every mart by name."""
    spans = read_spans(lake, as_of)
    calls = identify_calls(spans)
    calls["retrieved_document_count"] = calls.trace_id.map(count_documents(spans))
    del spans
    calls = add_failures(calls, read_table(lake, "call_events"), as_of)
    priced = price_calls(bill_tokens(calls), read_table(lake, "price_book"), as_of)
    calls = add_segments(calls, lake, as_of)
    calls = add_outcomes(calls, lake, as_of)
    llm_calls = marts.llm_calls(calls, priced)
    call_costs = marts.call_costs(calls, priced)
    return {
        "fct_llm_calls": llm_calls,
        "fct_call_costs": call_costs,
        "agg_feature_daily": marts.feature_daily(llm_calls),
        "agg_calls_hourly": marts.call_statistics(llm_calls, "h"),
        "agg_calls_daily": marts.call_statistics(llm_calls, "D"),
        "agg_cost_hourly": marts.cost_hourly(call_costs),
        "agg_user_cost_daily": marts.user_cost_daily(call_costs),
    }


def read_spans(lake: Path, as_of: datetime) -> pd.DataFrame:
    """Read the spans known at a time; of several copies of one the richest stays."""
    frames = []
    for path in sorted((lake / "spans").rglob("*.parquet")):
        table = pq.read_table(path, partitioning=None)
        known = sum(table[name].is_valid().to_numpy().astype(np.int64) for name in _known(table))
        frame = _frame(table, SPAN_COLUMNS).assign(known=known)
        frames.append(frame[(frame.arrived_at < as_of) & (frame.started_at < as_of)])
    spans = pd.concat([frame for frame in frames if len(frame)], ignore_index=True)
    if not (spans.sample_weight == 1).all():
        message = f"{lake}: rows stand for several calls, which this script cannot weigh"
        raise ValueError(message)
    key = ["trace_id", "span_id"]
    copies = spans[spans.duplicated(key, keep=False)]
    order = ["known", "ended_at", "source_object", "source_offset"]
    worse = copies.sort_values(order, ascending=False, na_position="last").duplicated(key)
    return spans.drop(index=worse[worse].index)


def identify_calls(spans: pd.DataFrame) -> pd.DataFrame:
    """Return the model calls; what a span does not say comes from its trace, when that agrees."""
    calls = spans[spans.is_leaf_model_call.astype(bool)].reset_index(drop=True)
    for name in ("request_id", "tenant_key", "user_key", "session_key", "route", "locale", "canary_id"):  # fmt: skip
        calls[name] = calls[name].fillna(calls.trace_id.map(only_values(spans, name)))
    calls["locale"] = calls.locale.str.lower().str.replace("_", "-")
    calls["call_key"] = [
        hashlib.md5(f"32:{trace}|16:{span}".encode(), usedforsecurity=False).hexdigest()
        for trace, span in zip(calls.trace_id, calls.span_id, strict=True)
    ]
    calls["priced_model"] = calls.response_model.fillna(calls.request_model)
    calls["called_at"] = calls.started_at
    calls["call_date"] = calls.started_at.dt.tz_localize(None).dt.normalize()
    calls["is_canary"] = calls.canary_id.notna()
    calls["is_error"] = calls.status == "error"
    calls["finish_reason"] = [r[0] if r is not None and len(r) else None for r in calls.finish_reasons]  # fmt: skip
    calls["total_tokens"] = calls.input_tokens + calls.output_tokens
    for name in ("is_clock_skewed", "is_text_withheld"):
        calls[name] = calls[name].fillna(value=False).astype(bool)
    calls["consent"] = calls.consent.fillna("unknown")
    calls["is_repeated"] = calls.is_gateway_cache_hit.fillna(value=False).astype(bool)
    for name in ("cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens"):
        calls[name] = calls[name].mask(calls.is_repeated, 0)
    return calls


def only_values(spans: pd.DataFrame, name: str) -> pd.Series:
    """Return the one value a column has in each trace; traces that disagree are left out."""
    pairs = spans[["trace_id", name]].dropna().drop_duplicates()
    return pairs[~pairs.trace_id.duplicated(keep=False)].set_index("trace_id")[name]


def count_documents(spans: pd.DataFrame) -> pd.Series:
    """Return how many documents each trace retrieved; unknown when one step does not say."""
    steps = spans[spans.span_type == "retrieval"]
    said = steps.retrieved_document_count.where(steps.collapsed_span_count.fillna(1) == 1)
    grouped = said.groupby(steps.trace_id)
    return grouped.sum().where(grouped.count() == grouped.size())


def add_failures(calls: pd.DataFrame, events: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """Fill in why a call failed from its last event that says so."""
    known = events[(events.arrived_at < as_of) & (events.recorded_at < as_of) & events.error_class.notna()]  # fmt: skip
    last = newest(known, ["trace_id", "span_id"], ["recorded_at", "source_object", "source_offset"])
    names = ["error_type", "error_class", "http_status_code"]
    found = calls[["trace_id", "span_id"]].merge(last, on=["trace_id", "span_id"], how="left")
    for name in names:
        calls[name] = calls[name].where(calls[name].notna() | ~calls.is_error, found[name])
    return calls


def add_segments(calls: pd.DataFrame, lake: Path, as_of: datetime) -> pd.DataFrame:
    """Add the tenant's tier and the user's experiment bucket as they were at the call."""
    tiers = newest(
        read_fact(lake, "subscription_tiers", as_of),
        ["tenant_key", "valid_from_at"],
        ["recorded_at", "arrived_at", "source_object"],
    )
    buckets = newest(
        read_fact(lake, "experiment_buckets", as_of),
        ["user_key", "experiment_name", "assigned_at"],
        ["recorded_at", "arrived_at", "source_object"],
    ).sort_values("experiment_name")
    buckets = buckets.drop_duplicates(["user_key", "assigned_at"])
    calls = _as_at(calls, tiers, "tenant_key", "valid_from_at", {"tier": "tenant_tier"})
    renamed = {"experiment_name": "experiment_name", "bucket_name": "experiment_bucket_name"}
    return _as_at(calls, buckets, "user_key", "assigned_at", renamed)


def _as_at(
    calls: pd.DataFrame, states: pd.DataFrame, key: str, since: str, names: dict[str, str]
) -> pd.DataFrame:
    """Add what last held of a key when the call was made."""
    asked = calls[["called_at", key]].reset_index().dropna().sort_values("called_at")
    known = states[[key, since, *names]].sort_values(since)
    found = pd.merge_asof(asked, known, left_on="called_at", right_on=since, by=key)
    found = found.set_index("index").reindex(calls.index)
    return calls.assign(**{new: found[old] for old, new in names.items()})


def add_outcomes(calls: pd.DataFrame, lake: Path, as_of: datetime) -> pd.DataFrame:
    """Join what became of each request."""
    order = ["recorded_at", "arrived_at", "source_object"]
    for fact, flag, columns in marts.OUTCOMES:
        rows = newest(read_fact(lake, fact, as_of), ["request_id"], order).set_index("request_id")
        known = calls.request_id.isin(rows.index).astype(object)
        calls[flag] = known.where(calls.request_id.notna(), None)
        for old, new in columns.items():
            calls[new] = calls.request_id.map(rows[old])
    return calls


def newest(frame: pd.DataFrame, key: list[str], order: list[str]) -> pd.DataFrame:
    """Return the last row of every key."""
    return frame.sort_values(order, ascending=False).drop_duplicates(key)


def read_fact(lake: Path, name: str, as_of: datetime) -> pd.DataFrame:
    """Read the records of a business fact that were known at a time."""
    frame = read_table(lake, f"fact_{name}")
    return frame[(frame.recorded_at < as_of) & (frame.arrived_at < as_of)]


def read_table(lake: Path, name: str) -> pd.DataFrame:
    """Read a small table of the lake; prices become whole picodollars."""
    paths = sorted((lake / name).rglob("*.parquet"))
    table = pa.concat_tables([pq.read_table(path, partitioning=None) for path in paths])
    frame = table.to_pandas()
    for field in table.schema:
        if pa.types.is_decimal(field.type) and name == "price_book":
            frame[field.name] = [None if v is None else int(v * PICO) for v in frame[field.name]]
            frame[field.name] = frame[field.name].astype(float)
    return frame


def _known(table: pa.Table) -> list[str]:
    """Return the columns that make one copy of a span richer than another."""
    return [column.name for column in SPANS.columns if column.name in table.column_names]


def _frame(table: pa.Table, names: Sequence[str]) -> pd.DataFrame:
    """Return some columns as pandas has them; one that an old file lacks is null."""
    frame: pd.DataFrame = table.select([n for n in names if n in table.column_names]).to_pandas()
    return frame.reindex(columns=list(names))


def main(arguments: list[str]) -> int:
    """Compute the marts and write how many rows each has."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lake", type=Path)
    parser.add_argument("as_of", type=datetime.fromisoformat)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(arguments)
    rows = {name: len(mart) for name, mart in compute_marts(given.lake, given.as_of).items()}
    given.out.write_text(json.dumps(rows), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
