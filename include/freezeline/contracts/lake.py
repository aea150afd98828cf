"""The lake's tables: what landing writes as Parquet and staging reads.

Layout: ``<lake>/<table>/dt=YYYY-MM-DD/<object_hash>.parquet``; ``dt`` is the UTC date of the
row's event (``started_at`` for spans), ``object_hash`` the first 32 hex digits of the SHA-256 of
the object's key, so landing one object twice overwrites its own files and nothing else.
"""

from include.freezeline.contracts.columns import Column, Privacy, Table

_TEXT = Privacy.TEXT
_PSEUDONYM = Privacy.PSEUDONYM

_SOURCE_COLUMNS = (
    Column("source_object", "string", "Key of the object the row came from.", nullable=False),
    Column("source_sha256", "string", "SHA-256 of the object's bytes, hex.", nullable=False),
    Column(
        "arrived_at",
        "timestamp",
        "When the object reached the bucket: the upload time in its key's partition, else its modification time. The second clock: a row is known from here on.",
        nullable=False,
    ),
)

SPANS = Table(
    name="spans",
    grain="one row per delivered span record (a span may be delivered more than once)",
    key=("trace_id", "span_id", "source_object", "source_offset"),
    columns=(
        Column("trace_id", "string", "W3C trace id, 32 lower-case hex digits.", nullable=False),
        Column("span_id", "string", "W3C span id, 16 lower-case hex digits.", nullable=False),
        Column("parent_span_id", "string", "Span id of the parent; null on a root span."),
        Column(
            "dialect",
            "string",
            "Instrumentation dialect: otel_genai, otel_genai_legacy, openinference, openllmetry, plain.",
            nullable=False,
        ),
        Column("scope_name", "string", "Instrumentation scope."),
        Column("scope_version", "string", "Version of the instrumentation scope."),
        Column(
            "span_name", "string", "Span name as sent, redacted.", nullable=False, privacy=_TEXT
        ),
        Column("otel_kind", "int8", "OTLP span kind, 0 to 5.", nullable=False),
        Column(
            "span_type",
            "string",
            "llm, embedding, retrieval, rerank, tool, agent, workflow, task, guardrail, evaluator or other.",
            nullable=False,
        ),
        Column("operation_name", "string", "Operation as the source named it."),
        Column(
            "is_leaf_model_call",
            "bool",
            "True on the one span of a model call whose tokens count.",
            nullable=False,
        ),
        Column("started_at", "timestamp", "Start of the span, UTC.", nullable=False),
        Column("ended_at", "timestamp", "End of the span, UTC; null when the source sent none."),
        Column("duration_ms", "float64", "End minus start; null when unknown or negative."),
        Column("service_name", "string", "Resource attribute service.name."),
        Column("service_version", "string", "Resource attribute service.version."),
        Column(
            "environment",
            "string",
            "Deployment environment; 'unknown' when the source sent none.",
            nullable=False,
        ),
        Column(
            "feature",
            "string",
            "Product feature the span serves (config/landing.yml says which attribute names it; service.name otherwise).",
            nullable=False,
        ),
        Column("tenant_key", "string", "Keyed pseudonym of the customer.", privacy=_PSEUDONYM),
        Column("user_key", "string", "Keyed pseudonym of the end user.", privacy=_PSEUDONYM),
        Column(
            "session_key",
            "string",
            "Keyed pseudonym of the conversation or session.",
            privacy=_PSEUDONYM,
        ),
        Column("request_id", "string", "Business request id that outcome facts join on."),
        Column("route", "string", "Route or endpoint the request took (http.route or app.route)."),
        Column("provider", "string", "GenAI provider, normalised (openai, anthropic, ...)."),
        Column("request_model", "string", "Model name asked for."),
        Column("response_model", "string", "Model name the provider says answered."),
        Column("response_id", "string", "Provider's response id."),
        Column("system_fingerprint", "string", "Provider's fingerprint of the serving system."),
        Column(
            "is_stream",
            "bool",
            "Whether the answer was streamed; null when the source does not say.",
        ),
        Column("temperature", "float64", "Sampling temperature asked for."),
        Column("max_tokens", "int64", "Output token limit asked for."),
        Column(
            "input_tokens",
            "int64",
            "Prompt tokens, cached ones included; null is unknown, never zero.",
        ),
        Column(
            "output_tokens", "int64", "Completion tokens, reasoning ones included; null is unknown."
        ),
        Column(
            "cache_read_tokens", "int64", "Part of input_tokens read from the provider's cache."
        ),
        Column(
            "cache_write_tokens", "int64", "Part of input_tokens written to the provider's cache."
        ),
        Column("reasoning_tokens", "int64", "Part of output_tokens spent on reasoning."),
        Column(
            "ttft_ms", "float64", "Time to first token or chunk; null unless streamed and seen."
        ),
        Column("ttft_source", "string", "Where ttft_ms was read: attribute or event."),
        Column(
            "tpot_ms",
            "float64",
            "Time per output token, (duration - ttft) / (output_tokens - 1), or as reported.",
        ),
        Column("tpot_source", "string", "computed or attribute."),
        Column(
            "chunk_gap_p99_ms",
            "float64",
            "99th percentile gap between chunks of this answer; null without chunk times.",
        ),
        Column(
            "finish_reasons",
            "list<string>",
            "Normalised: stop, length, tool_call, content_filter, error, other.",
        ),
        Column("status", "string", "ok, error or unset (unset is not an error).", nullable=False),
        Column("error_type", "string", "Error class as the source named it."),
        Column(
            "error_class",
            "string",
            "rate_limit, context_length_exceeded, timeout, invalid_api_key, content_filter, server_error, cancelled or other; null without an error.",
        ),
        Column("error_message_redacted", "string", "Error text, redacted.", privacy=_TEXT),
        Column("prompt_name", "string", "Name of the prompt template."),
        Column("prompt_version", "string", "Version of the prompt template."),
        Column(
            "input_text_redacted",
            "string",
            "Last user message as plain text, redacted.",
            privacy=_TEXT,
        ),
        Column("output_text_redacted", "string", "Answer as plain text, redacted.", privacy=_TEXT),
        Column(
            "input_messages_redacted", "json", "Input messages as sent, redacted.", privacy=_TEXT
        ),
        Column(
            "output_messages_redacted", "json", "Output messages as sent, redacted.", privacy=_TEXT
        ),
        Column(
            "system_instructions_redacted", "json", "System instructions, redacted.", privacy=_TEXT
        ),
        Column("tool_name", "string", "Tool that was called."),
        Column("agent_name", "string", "Agent that ran."),
        Column("workflow_name", "string", "Workflow that ran."),
        Column("retrieval_query_redacted", "string", "Retrieval query, redacted.", privacy=_TEXT),
        Column(
            "retrieved_document_count",
            "int64",
            "Documents a retrieval span returned; null on other spans and when unknown.",
        ),
        Column(
            "retrieval_score_max", "float64", "Best document score of a retrieval span, as sent."
        ),
        Column(
            "canary_id",
            "string",
            "Id of the fixed probe prompt when the call is a canary; null on organic traffic.",
        ),
        Column("cost_reported_usd", "decimal(18,12)", "Cost as the source reported it."),
        Column(
            "sample_weight",
            "float64",
            "How many calls the row stands for (1 when unsampled).",
            nullable=False,
        ),
        Column(
            "attributes_redacted",
            "json",
            "Attributes that no column holds, redacted.",
            privacy=_TEXT,
        ),
        Column(
            "resource_attributes_redacted", "json", "Resource attributes, redacted.", privacy=_TEXT
        ),
        Column(
            "source_offset",
            "int64",
            "Ordinal of the span record inside its object.",
            nullable=False,
        ),
        *_SOURCE_COLUMNS,
    ),
)

EVALUATIONS = Table(
    name="evaluations",
    grain="one row per delivered evaluation result",
    key=("trace_id", "span_id", "evaluation_name", "source_object", "source_offset"),
    columns=(
        Column("trace_id", "string", "Trace of the judged span.", nullable=False),
        Column("span_id", "string", "Judged span.", nullable=False),
        Column("evaluation_name", "string", "Name of the evaluation.", nullable=False),
        Column(
            "evaluation_score", "float64", "Score as sent; range and direction are the evaluator's."
        ),
        Column("evaluation_label", "string", "Label as sent."),
        Column("explanation_redacted", "string", "Explanation, redacted.", privacy=_TEXT),
        Column("carrier", "string", "span_event, log_event or evaluator_span.", nullable=False),
        Column("evaluated_at", "timestamp", "When the evaluation was made.", nullable=False),
        Column(
            "source_offset", "int64", "Ordinal of the record inside its object.", nullable=False
        ),
        *_SOURCE_COLUMNS,
    ),
)

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
        Column("signal", "string", "traces, logs, metrics, fact or unknown.", nullable=False),
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
        Column("redaction_count", "int64", "Values redacted in the object's text.", nullable=False),
        Column(
            "night_as_of", "timestamp", "as_of of the run that landed this version.", nullable=False
        ),
        Column("reason", "string", "Why the object was quarantined or is empty."),
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
            "as_of of the run that put the record aside.",
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

LAKE_TABLES = (SPANS, EVALUATIONS, LEDGER, QUARANTINE, REDACTION_COUNTS, PRICE_BOOK)
