"""The lake's tables: what landing writes as Parquet and staging reads.

Layout: ``<lake>/<table>/dt=YYYY-MM-DD/<object_hash>.parquet``; ``dt`` is the UTC date of the
row's event (``started_at`` for spans), ``object_hash`` the first 32 hex digits of the SHA-256 of
the object's key, so landing one object twice overwrites its own files and nothing else.
"""

from include.freezeline.contracts.columns import Column, Table
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

PRICE_BOOK = Table(
    name="price_book",
    grain="one row per provider, model and validity period",
    key=("provider", "model", "valid_from_at"),
    columns=(
        Column("provider", "string", "Provider as on the spans.", nullable=False),
        Column("model", "string", "Model name as on the spans.", nullable=False),
        Column("valid_from_at", "timestamp", "First instant the price holds.", nullable=False),
        Column("valid_to_at", "timestamp", "First instant it no longer holds; null is open."),
        Column(
            "input_usd_per_token",
            "decimal(18,12)",
            "Price of an uncached input token; null when the model is unknown.",
        ),
        Column("cache_read_usd_per_token", "decimal(18,12)", "Price of a cached input token."),
        Column(
            "output_usd_per_token",
            "decimal(18,12)",
            "Price of an output token; null when the model is unknown.",
        ),
        Column("price_source", "string", "Price table and version, or override.", nullable=False),
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

LAKE_TABLES = (*TELEMETRY_TABLES, *BOOKS, PRICE_BOOK)
