"""The lake's span table: the canonical row, one per delivered span or logged call."""

from include.freezeline.contracts.columns import Column, Privacy, Table
from include.freezeline.contracts.lake_common import SOURCE_COLUMNS

_TEXT = Privacy.TEXT
_PSEUDONYM = Privacy.PSEUDONYM

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
            "Who wrote it: otel_genai, otel_genai_legacy, openinference, openllmetry, langfuse, langfuse_export, vercel, vercel_legacy, litellm, interaction_log, mcp or plain.",
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
            "llm, embedding, retrieval, rerank, tool, agent, workflow, task, memory, guardrail, evaluator, mcp or other.",
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
        Column(
            "is_clock_skewed",
            "bool",
            "True when the span ends before it starts.",
            nullable=False,
        ),
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
        Column(
            "locale", "string", "Language and region the user works in, as the source names it."
        ),
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
        Column("top_p", "float64", "Nucleus sampling threshold asked for."),
        Column("max_tokens", "int64", "Output token limit asked for."),
        Column("seed", "int64", "Sampling seed asked for."),
        Column("reasoning_level", "string", "Reasoning effort asked for (low, high, ...)."),
        Column("service_tier", "string", "Service tier that answered, else the one asked for."),
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
        Column(
            "cache_write_1h_tokens",
            "int64",
            "Part of cache_write_tokens written for an hour; null when the source does not say.",
        ),
        Column("reasoning_tokens", "int64", "Part of output_tokens spent on reasoning."),
        Column(
            "web_search_count",
            "int64",
            "Searches that the provider ran for the call and bills each; null when not told.",
        ),
        Column(
            "is_gateway_cache_hit",
            "bool",
            "Whether a gateway repeated a stored answer, so that no provider was called; null when the source does not say.",
        ),
        Column(
            "ttft_ms", "float64", "Time to first token or chunk; null unless streamed and seen."
        ),
        Column("ttft_source", "string", "Where ttft_ms was read: attribute, event or timestamp."),
        Column(
            "queue_ms", "float64", "Time the request waited before it was worked on, as reported."
        ),
        Column("prefill_ms", "float64", "Time the server spent on the prompt, as reported."),
        Column("decode_ms", "float64", "Time the server spent on the answer, as reported."),
        Column(
            "tpot_ms",
            "float64",
            "Time per output token, (duration - ttft) / (output_tokens - 1), or as reported.",
        ),
        Column("tpot_source", "string", "computed or attribute."),
        Column("chunk_count", "int64", "Chunks of the answer whose time is known; null without."),
        Column(
            "chunk_gap_p50_ms",
            "float64",
            "Median gap between chunks of this answer; null without chunk times.",
        ),
        Column(
            "chunk_gap_p99_ms",
            "float64",
            "99th percentile gap between chunks of this answer; null without chunk times.",
        ),
        Column(
            "chunk_gap_max_ms",
            "float64",
            "Longest gap between chunks of this answer; null without chunk times.",
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
        Column("http_status_code", "int32", "HTTP status of the failed call, when it is known."),
        Column("error_message_redacted", "string", "Error text, redacted.", privacy=_TEXT),
        Column("prompt_name", "string", "Name of the prompt template."),
        Column("prompt_version", "string", "Version of the prompt template."),
        Column(
            "prompt_hash",
            "string",
            "Hash of the prompt template as the source gave it, else of the redacted system instructions.",
        ),
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
        Column(
            "input_content_name",
            "string",
            "Last part of the URI of input messages kept in an object of their own; joins to message_contents.",
        ),
        Column(
            "output_content_name",
            "string",
            "The same for the output messages.",
        ),
        Column(
            "system_content_name",
            "string",
            "The same for the system instructions.",
        ),
        Column("input_text_chars", "int64", "Length of the last user message before redaction."),
        Column("output_text_chars", "int64", "Length of the answer before redaction."),
        Column("output_text_words", "int64", "Words of the answer before redaction."),
        Column(
            "data_class",
            "string",
            "Class of the data by the source or the rules of config/landing.yml (public, personal, ...).",
        ),
        Column(
            "consent",
            "string",
            "granted, denied or unknown: whether texts of this span may be stored.",
            nullable=False,
        ),
        Column(
            "is_text_withheld",
            "bool",
            "True when texts were there and were not stored for want of consent.",
            nullable=False,
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
        Column("retrieval_top_k", "int64", "Documents a retrieval asked for."),
        Column(
            "packed_document_count",
            "int64",
            "Documents that made it into the prompt, as reported by the packing step.",
        ),
        Column(
            "dropped_document_count",
            "int64",
            "Retrieved documents that did not fit into the prompt, as reported.",
        ),
        Column("packed_tokens", "int64", "Prompt tokens taken by documents, as reported."),
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
            "collapsed_span_count",
            "int64",
            "Sibling spans of one name that this row stands for, itself included; null on an ordinary row.",
        ),
        Column(
            "collapsed_duration_sum_ms",
            "float64",
            "Sum of the durations of the collapsed siblings; the row itself is the slowest.",
        ),
        Column(
            "collapsed_error_count",
            "int64",
            "Collapsed siblings that failed; null on an ordinary row.",
        ),
        Column(
            "summarised_descendant_count",
            "int64",
            "Spans below this one that lie deeper than the limit and have no row of their own.",
        ),
        Column("summarised_descendant_error_count", "int64", "Of them, those that failed."),
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
        *SOURCE_COLUMNS,
    ),
)
