"""The books: which objects came, what became of their records, and what was redacted."""

from include.freezeline.contracts.columns import Column, Privacy, Table

_TEXT = Privacy.TEXT

LEDGER = Table(
    name="ledger",
    grain="one row per object seen in the bucket (latest version of it)",
    key=("source_object",),
    columns=(
        Column("source_object", "string", "Object key.", nullable=False),
        Column(
            "source_name",
            "string",
            "Source of config/sources.yml or fact of config/facts/ that the object belongs to.",
            nullable=False,
        ),
        Column("etag", "string", "Store's version tag of the object.", nullable=False),
        Column("source_sha256", "string", "SHA-256 of the bytes, hex.", nullable=False),
        Column("object_size_bytes", "int64", "Size as stored.", nullable=False),
        Column("arrived_at", "timestamp", "When the object reached the bucket.", nullable=False),
        Column(
            "format",
            "string",
            "otlp_json, otlp_json_lines, otlp_protobuf, ..., csv, parquet, empty or unknown.",
            nullable=False,
        ),
        Column(
            "signal",
            "string",
            "traces, logs, metrics, content, scores, fact or unknown.",
            nullable=False,
        ),
        Column(
            "dialect",
            "string",
            "Dialects of its spans, in alphabetical order with commas; null without spans.",
        ),
        Column(
            "status",
            "string",
            "landed, empty or quarantined (nothing of the object could be read).",
            nullable=False,
        ),
        Column("record_count", "int64", "Records found in the object.", nullable=False),
        Column("landed_count", "int64", "Records written to the lake.", nullable=False),
        Column(
            "duplicate_count",
            "int64",
            "Records that repeat another record of the same object.",
            nullable=False,
        ),
        Column("quarantined_count", "int64", "Records put aside with a reason.", nullable=False),
        Column(
            "late_count",
            "int64",
            "Landed records whose event date is before the object's arrival date.",
            nullable=False,
        ),
        Column(
            "collapsed_count",
            "int64",
            "Landed records that have no row of their own (see collapsed_span_count).",
            nullable=False,
        ),
        Column(
            "erased_count",
            "int64",
            "Landed records that have no row because a person was erased, before they landed or after.",
        ),
        Column("redaction_count", "int64", "Values redacted in the object's text.", nullable=False),
        Column(
            "night_as_of",
            "timestamp",
            "as_of of the night the object belongs to: the midnight after its arrival.",
            nullable=False,
        ),
        Column("reason", "string", "Why the object was quarantined or is empty."),
    ),
)

LEDGER_NIGHTS = Table(
    name="ledger_nights",
    grain="one row per source and night",
    key=("source_name", "night_as_of"),
    columns=(
        Column("source_name", "string", "Source or fact.", nullable=False),
        Column(
            "night_as_of",
            "timestamp",
            "End of the night: the midnight after its objects arrived.",
            nullable=False,
        ),
        Column(
            "is_expected", "bool", "Whether silence of the source is an incident.", nullable=False
        ),
        Column("object_count", "int64", "Objects that arrived in the night.", nullable=False),
        Column("landed_object_count", "int64", "Of them, with rows in the lake.", nullable=False),
        Column("empty_object_count", "int64", "Of them, without a record.", nullable=False),
        Column(
            "quarantined_object_count",
            "int64",
            "Of them, those of which nothing could be read.",
            nullable=False,
        ),
        Column("object_size_bytes", "int64", "Sum of the sizes as stored.", nullable=False),
        Column("record_count", "int64", "Records found.", nullable=False),
        Column("landed_count", "int64", "Records written to the lake.", nullable=False),
        Column(
            "duplicate_count", "int64", "Records that repeat one of their object.", nullable=False
        ),
        Column("quarantined_count", "int64", "Records put aside with a reason.", nullable=False),
        Column("late_count", "int64", "Landed records of earlier event dates.", nullable=False),
        Column("redaction_count", "int64", "Values redacted.", nullable=False),
        Column(
            "usual_record_count",
            "int64",
            "Median of the record counts of the nights before; null while too few are known.",
        ),
        Column(
            "verdict",
            "string",
            "ok, silent, low_volume or insufficient_evidence (too few nights before).",
            nullable=False,
        ),
    ),
)

QUARANTINE = Table(
    name="quarantine",
    grain="one row per record, or whole object, that could not be landed",
    key=("source_object", "source_offset"),
    columns=(
        Column("source_object", "string", "Object key.", nullable=False),
        Column(
            "source_offset",
            "int64",
            "Ordinal of the record in the object; -1 for the whole object.",
            nullable=False,
        ),
        Column("source_sha256", "string", "SHA-256 of the object's bytes, hex.", nullable=False),
        Column(
            "reason",
            "string",
            "What was wrong, as a short code: invalid_id, unsupported_dialect:..., not_utf8, ...",
            nullable=False,
        ),
        Column(
            "detail_redacted", "string", "What was found and expected, redacted.", privacy=_TEXT
        ),
        Column(
            "sample_redacted",
            "string",
            "First characters of the record, redacted; null when they cannot be scanned.",
            privacy=_TEXT,
        ),
        Column("arrived_at", "timestamp", "When the object reached the bucket.", nullable=False),
        Column(
            "night_as_of",
            "timestamp",
            "as_of of the night the object belongs to: the midnight after its arrival.",
            nullable=False,
        ),
    ),
)

REDACTION_COUNTS = Table(
    name="redaction_counts",
    grain="one row per object and entity type",
    key=("source_object", "entity_type"),
    columns=(
        Column("source_object", "string", "Object key.", nullable=False),
        Column(
            "entity_type",
            "string",
            "EMAIL, PHONE, CARD, ...; FIELDS_SCANNED and FIELDS_DROPPED count fields.",
            nullable=False,
        ),
        Column("value_count", "int64", "Values found and replaced (or fields).", nullable=False),
        Column("arrived_at", "timestamp", "When the object reached the bucket.", nullable=False),
    ),
)

REDACTION_CANARIES = Table(
    name="redaction_canaries",
    grain="one row per night and entity type",
    key=("night_as_of", "entity_type"),
    columns=(
        Column("night_as_of", "timestamp", "as_of of the night.", nullable=False),
        Column("entity_type", "string", "What was planted: EMAIL, CARD, ...", nullable=False),
        Column(
            "planted_count", "int64", "Made-up values sent through the readers.", nullable=False
        ),
        Column(
            "found_count", "int64", "Of them, those that did not come out again.", nullable=False
        ),
        Column("recall_ratio", "float64", "Found by planted, 0 to 1.", nullable=False),
        Column("recall_lower_ratio", "float64", "Lower 95% bound of the recall.", nullable=False),
    ),
)
