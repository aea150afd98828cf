"""Sealed originals: encrypted, in the lake's folder ``sealed``, which no model reads."""

from include.freezeline.contracts.columns import Column, Table
from include.freezeline.contracts.lake_common import SOURCE_COLUMNS

SEALED = Table(
    name="sealed",
    grain="one row per landed row with a sealed original; dt is the UTC date its object arrived",
    key=("source_table", "source_object", "source_offset", "ciphertext"),
    columns=(
        Column("source_table", "string", "Lake table of the row.", nullable=False),
        Column("trace_id", "string", "As in that table; null where it has none."),
        Column("span_id", "string", "As in that table."),
        Column("request_id", "string", "As in that table."),
        Column("response_id", "string", "As in that table."),
        Column("content_name", "string", "As in that table."),
        Column("tenant_key", "string", "Keyed pseudonym, as in that table."),
        Column("user_key", "string", "Keyed pseudonym, as in that table."),
        Column("session_key", "string", "Keyed pseudonym, as in that table."),
        Column("feature", "string", "Feature of the row's span; null when unknown."),
        Column(
            "environment",
            "string",
            "Environment of the row's span; * when unknown.",
            nullable=False,
        ),
        Column("data_class", "string", "Class of the row's span; null when unknown."),
        Column("event_at", "timestamp", "The row's event time.", nullable=False),
        Column("key_name", "string", "Day key that it is sealed with.", nullable=False),
        Column("text_count", "int64", "Texts inside.", nullable=False),
        Column("ciphertext", "binary", "The texts, AES-SIV over zstd over JSON.", nullable=False),
        Column("source_offset", "int64", "As in that table.", nullable=False),
        *SOURCE_COLUMNS,
    ),
)
