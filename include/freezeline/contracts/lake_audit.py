"""The break-glass audit log as the build copies it into the lake, for the models."""

from include.freezeline.contracts.columns import Column, Table

BREAK_GLASS_EVENTS = Table(
    name="break_glass_events",
    grain="one row per event of the break-glass audit log: a read, a destroyed key, a rotation",
    key=("event_index",),
    columns=(
        Column("event_index", "int64", "Place in the log, from 1.", nullable=False),
        Column("event_kind", "string", "read, key_destroyed or keys_rewrapped.", nullable=False),
        Column("recorded_at", "timestamp", "When the row was written.", nullable=False),
        Column(
            "person", "string", "Who, as they named themselves; the job for a destroyed key.",
            nullable=False,
        ),
        Column("login_name", "string", "Account that the command ran under; null for a job."),
        Column("reason", "string", "Why, in words.", nullable=False),
        Column("ticket", "string", "Where that is written down; null for a job."),
        Column("read_trace_id", "string", "Trace whose originals were read; null otherwise."),
        Column("read_span_id", "string", "Span; null when all of the trace were read."),
        Column("key_name", "string", "Day key that was destroyed; null otherwise."),
        Column("key_id", "string", "Fingerprint of that key, or of the new master key."),
        Column("row_count", "int64", "Sealed rows it is about; keys of a rotation.", nullable=False),
        Column("text_count", "int64", "Texts in them.", nullable=False),
        Column("previous_hash", "string", "event_hash of the row before; empty on the first.",
               nullable=False),
        Column("event_hash", "string", "SHA-256 over all other columns, hex.", nullable=False),
    ),
)  # fmt: skip
