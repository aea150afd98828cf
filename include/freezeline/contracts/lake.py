"""The lake's tables: what landing writes as Parquet and staging reads.

Layout: ``<lake>/<table>/dt=YYYY-MM-DD/<object_hash>.parquet``; ``dt`` is the UTC date of the
row's event (``started_at`` for spans), ``object_hash`` the first 32 hex digits of the SHA-256 of
the object's key, so landing one object twice overwrites its own files and nothing else.
"""

from include.freezeline.contracts.columns import Column, ColumnType, Table
from include.freezeline.contracts.lake_audit import BREAK_GLASS_EVENTS
from include.freezeline.contracts.lake_books import (
    LEDGER,
    LEDGER_NIGHTS,
    QUARANTINE,
    REDACTION_CANARIES,
    REDACTION_COUNTS,
)
from include.freezeline.contracts.lake_details import (
    CALL_EVENTS,
    EVALUATIONS,
    MESSAGE_CONTENTS,
    RETRIEVAL_DOCUMENTS,
    SOURCE_COUNTERS,
    TOOL_CALLS,
)
from include.freezeline.contracts.lake_spans import SPANS

__all__ = [
    "BOOKS",
    "BREAK_GLASS_EVENTS",
    "CALL_EVENTS",
    "EVALUATIONS",
    "LAKE_TABLES",
    "LEDGER",
    "LEDGER_NIGHTS",
    "MESSAGE_CONTENTS",
    "PRICE_BOOK",
    "QUARANTINE",
    "REDACTION_CANARIES",
    "REDACTION_COUNTS",
    "RETRIEVAL_DOCUMENTS",
    "SOURCE_COUNTERS",
    "SPANS",
    "TELEMETRY_TABLES",
    "TOOL_CALLS",
]

_PRICE: ColumnType = "decimal(18,12)"

PRICE_BOOK = Table(
    name="price_book",
    grain="one row per provider, model, service tier, validity period, hours and size of the prompt",
    key=(
        "provider",
        "model",
        "service_tier",
        "valid_from_at",
        "day_from_s",
        "input_from_tokens",
    ),
    columns=(
        Column("provider", "string", "Provider as on the spans.", nullable=False),
        Column("model", "string", "Model name as on the spans.", nullable=False),
        Column(
            "service_tier",
            "string",
            "Service tier as on the spans, in lower case; 'default' when they name none.",
            nullable=False,
        ),
        Column("valid_from_at", "timestamp", "First instant the price holds.", nullable=False),
        Column("valid_to_at", "timestamp", "First instant it no longer holds; null is open."),
        Column(
            "day_from_s", "int64", "First second of the UTC day in which it holds.", nullable=False
        ),
        Column(
            "day_to_s",
            "int64",
            "First second of the UTC day in which it no longer holds; 86400 is midnight.",
            nullable=False,
        ),
        Column(
            "input_from_tokens",
            "int64",
            "Smallest prompt that it is the price of; it holds for all tokens of such a call.",
            nullable=False,
        ),
        Column(
            "input_to_tokens", "int64", "Smallest prompt that is too large for it; null is open."
        ),
        Column(
            "input_usd_per_token",
            _PRICE,
            "Price of an uncached input token; null when there is none.",
        ),
        Column("cache_read_usd_per_token", _PRICE, "Price of an input token read from the cache."),
        Column(
            "cache_write_usd_per_token",
            _PRICE,
            "Price of an input token written to the cache for five minutes.",
        ),
        Column(
            "cache_write_1h_usd_per_token",
            _PRICE,
            "Price of an input token written to the cache for an hour.",
        ),
        Column(
            "output_usd_per_token",
            _PRICE,
            "Price of an output token; null when the model answers with none.",
        ),
        Column("reasoning_usd_per_token", _PRICE, "Price of an output token spent on reasoning."),
        Column(
            "web_search_usd", _PRICE, "Price of one web search of the provider; null when unknown."
        ),
        Column(
            "price_source",
            "string",
            "Price table and version, or override; says so when a service tier has no price of its own.",
            nullable=False,
        ),
        Column("unpriced_reason", "string", "Why there is no price; null when there is one."),
    ),
)

TELEMETRY_TABLES = (
    SPANS,
    EVALUATIONS,
    MESSAGE_CONTENTS,
    CALL_EVENTS,
    RETRIEVAL_DOCUMENTS,
    TOOL_CALLS,
    SOURCE_COUNTERS,
)
"""Tables that readers fill, one file per object and event date."""

BOOKS = (LEDGER, LEDGER_NIGHTS, QUARANTINE, REDACTION_COUNTS, REDACTION_CANARIES)
"""Tables that landing itself fills."""

LAKE_TABLES = (*TELEMETRY_TABLES, *BOOKS, PRICE_BOOK, BREAK_GLASS_EVENTS)
