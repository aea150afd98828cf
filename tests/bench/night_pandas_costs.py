"""What calls cost, with pandas: the part of ``night_pandas`` that bills tokens and prices them."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from include.freezeline.cost.policy import load_cost_policy

CONFIG_DIR = Path(__file__).parents[2] / "include" / "config"
KINDS = ("input", "cache_read", "cache_write", "cache_write_1h", "output", "reasoning")


def bill_tokens(calls: pd.DataFrame) -> pd.DataFrame:
    """Return what the provider bills for each call; fmin takes the known one of two."""
    read = np.fmin(calls.cache_read_tokens.fillna(0), calls.input_tokens)
    thought = np.fmin(calls.reasoning_tokens.fillna(0), calls.output_tokens)
    written = np.fmin(calls.cache_write_tokens.fillna(0), calls.input_tokens - read)
    written_1h = np.fmin(calls.cache_write_1h_tokens.fillna(0), written)
    at = calls.called_at.dt
    counts = {
        "served_tokens": calls.total_tokens,
        "provider_tokens": calls.total_tokens,
        "billable_tokens": calls.total_tokens,
        "billable_input_tokens": calls.input_tokens - read - written,
        "billable_cache_read_tokens": read,
        "billable_cache_write_tokens": written - written_1h,
        "billable_cache_write_1h_tokens": written_1h,
        "billable_output_tokens": calls.output_tokens - thought,
        "billable_reasoning_tokens": thought,
        "web_search_count": calls.web_search_count.fillna(0),
    }
    billed = pd.DataFrame(counts)
    unserved = [name for name in counts if name != "served_tokens"]
    billed.loc[calls.is_repeated, unserved] = 0
    refused = not_billed_reason(calls)
    billed.loc[refused.notna(), [n for n in unserved if n != "provider_tokens"]] = 0
    return billed.assign(
        not_billed_reason=refused,
        call_key=calls.call_key,
        provider=calls.provider.fillna("unknown"),
        model=calls.priced_model,
        service_tier=calls.service_tier.str.lower().fillna("default"),
        called_at=calls.called_at,
        second_s=at.hour * 3600 + at.minute * 60 + at.second,
        input_tokens=calls.input_tokens.fillna(0),
        is_repeated=calls.is_repeated,
        has_known_tokens=calls.input_tokens.notna() & calls.output_tokens.notna(),
    )


def not_billed_reason(calls: pd.DataFrame) -> pd.Series:
    """Say why a provider does not bill a failed call that reports no tokens; null when it may."""
    policy = load_cost_policy(CONFIG_DIR).failed_calls
    is_asked = (
        calls.is_error
        & calls[["input_tokens", "output_tokens", "ttft_ms"]].isna().all(axis=1)
        & ~calls.error_class.isin(policy.maybe_billed_error_classes)
    )
    is_status = is_asked & calls.http_status_code.isin(policy.not_billed_http_statuses)
    is_class = is_asked & calls.error_class.isin(policy.not_billed_error_classes)
    said = pd.Series(None, index=calls.index, dtype=object)
    said[is_class] = "not billed: " + calls.error_class[is_class]
    said[is_status] = "not billed: HTTP " + calls.http_status_code[is_status].astype(int).astype(
        str
    )
    return said


def price_calls(billed: pd.DataFrame, book: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """Price every call as it was billed then, and as it would be billed today."""
    then = _match_prices(billed, book, billed.called_at)
    today = _match_prices(billed, book, pd.Series(pd.Timestamp(as_of), index=billed.index))
    reason = unpriced_reason(billed, then)
    priced = billed.assign(unpriced_reason=reason)
    priced["price_source"] = then.price_source.mask(
        billed.not_billed_reason.notna(), billed.not_billed_reason
    ).mask(billed.is_repeated, "gateway cache")
    priced.loc[reason.notna(), "price_source"] = None
    parts = {
        "cost_input_usd": ["input"],
        "cost_cache_read_usd": ["cache_read"],
        "cost_cache_write_usd": ["cache_write", "cache_write_1h"],
        "cost_output_usd": ["output", "reasoning"],
        "cost_usd": [*KINDS, "web_search"],
    }
    for name, kinds in parts.items():
        priced[name] = amount_usd(billed, then, kinds).where(reason.isna())
    is_known = unpriced_reason(billed, today).isna()
    priced["cost_today_usd"] = amount_usd(billed, today, [*KINDS, "web_search"]).where(is_known)
    return priced


def _match_prices(billed: pd.DataFrame, book: pd.DataFrame, at: pd.Series) -> pd.DataFrame:
    """Return each call's row of the price book, in the order of the calls."""
    asked = billed[["provider", "model", "service_tier", "second_s", "input_tokens"]].assign(
        at=at, row=billed.index
    )
    found = asked.merge(book, on=["provider", "model", "service_tier"])
    found = found[
        (found["at"] >= found.valid_from_at)
        & ((found["at"] < found.valid_to_at) | found.valid_to_at.isna())
        & (found.second_s >= found.day_from_s)
        & (found.second_s < found.day_to_s)
        & (found.input_tokens >= found.input_from_tokens)
        & ((found.input_tokens < found.input_to_tokens) | found.input_to_tokens.isna())
    ]
    matched = found.assign(is_found=True).set_index("row").reindex(billed.index)
    return matched.assign(is_found=matched.is_found.notna())


def unpriced_reason(billed: pd.DataFrame, prices: pd.DataFrame) -> pd.Series:
    """Say why a call has no cost; null when it has one."""
    written = billed.billable_output_tokens + billed.billable_reasoning_tokens
    conditions: list[tuple[pd.Series, Any]] = [
        (billed.is_repeated | billed.not_billed_reason.notna(), None),
        (billed.model.isna(), "no_model_name"),
        (~prices.is_found, "no_price_at_call_time"),
        (prices.unpriced_reason.notna(), prices.unpriced_reason),
        (~billed.has_known_tokens, "unknown_tokens"),
        (prices.output_usd_per_token.isna() & (written > 0), "no_output_price"),
        (prices.web_search_usd.isna() & (billed.web_search_count > 0), "no_web_search_price"),
    ]
    reason = pd.Series(None, index=billed.index, dtype=object)
    for condition, said in reversed(conditions):
        reason = reason.mask(condition, said)
    return reason


def amount_usd(billed: pd.DataFrame, prices: pd.DataFrame, kinds: Sequence[str]) -> pd.Series:
    """Return what some kinds of tokens cost, to nine decimals, halves away from zero."""
    pico = pd.Series(0, index=billed.index, dtype=np.int64)
    for kind in kinds:
        name = "web_search_usd" if kind == "web_search" else f"{kind}_usd_per_token"
        count = "web_search_count" if kind == "web_search" else f"billable_{kind}_tokens"
        pico += (billed[count].fillna(0) * prices[name].fillna(0)).astype(np.int64)
    return (pico + 500) // 1000 / 10**9
