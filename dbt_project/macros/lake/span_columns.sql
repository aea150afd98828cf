{# Columns of a span that hold no free text; kept equal to contracts/lake_spans.py by a test. #}
{% macro span_columns() -%}
    {{ return([
        'trace_id',
        'span_id',
        'parent_span_id',
        'dialect',
        'scope_name',
        'scope_version',
        'span_name',
        'otel_kind',
        'span_type',
        'operation_name',
        'is_leaf_model_call',
        'started_at',
        'ended_at',
        'duration_ms',
        'is_clock_skewed',
        'service_name',
        'service_version',
        'environment',
        'feature',
        'tenant_key',
        'user_key',
        'session_key',
        'request_id',
        'route',
        'locale',
        'provider',
        'request_model',
        'response_model',
        'response_id',
        'system_fingerprint',
        'is_stream',
        'temperature',
        'top_p',
        'max_tokens',
        'seed',
        'reasoning_level',
        'service_tier',
        'input_tokens',
        'output_tokens',
        'cache_read_tokens',
        'cache_write_tokens',
        'reasoning_tokens',
        'ttft_ms',
        'ttft_source',
        'queue_ms',
        'prefill_ms',
        'decode_ms',
        'tpot_ms',
        'tpot_source',
        'chunk_count',
        'chunk_gap_p50_ms',
        'chunk_gap_p99_ms',
        'chunk_gap_max_ms',
        'finish_reasons',
        'status',
        'error_type',
        'error_class',
        'http_status_code',
        'prompt_name',
        'prompt_version',
        'prompt_hash',
        'input_content_name',
        'output_content_name',
        'system_content_name',
        'input_text_chars',
        'output_text_chars',
        'output_text_words',
        'data_class',
        'consent',
        'is_text_withheld',
        'tool_name',
        'agent_name',
        'workflow_name',
        'retrieved_document_count',
        'retrieval_score_max',
        'retrieval_top_k',
        'packed_document_count',
        'dropped_document_count',
        'packed_tokens',
        'canary_id',
        'cost_reported_usd',
        'sample_weight',
        'collapsed_span_count',
        'collapsed_duration_sum_ms',
        'collapsed_error_count',
        'summarised_descendant_count',
        'summarised_descendant_error_count',
        'source_offset',
        'source_object',
        'source_sha256',
        'arrived_at'
    ]) }}
{%- endmacro %}

{# Columns of a span that hold redacted text or JSON. They stay in the lake, so that the
    texts of the warehouse lie in one table, which retention empties. #}
{% macro span_text_columns() -%}
    {{ return([
        'error_message_redacted',
        'input_text_redacted',
        'output_text_redacted',
        'input_messages_redacted',
        'output_messages_redacted',
        'system_instructions_redacted',
        'retrieval_query_redacted',
        'attributes_redacted',
        'resource_attributes_redacted'
    ]) }}
{%- endmacro %}

{# The text-free columns as a select list. #}
{% macro span_select_list() -%}
    {{ span_columns() | join(',\n        ') }}
{%- endmacro %}

{# How much a delivered copy of a span knows, texts included. #}
{% macro span_known_value_count() -%}
    {{ non_null_count(span_columns() + span_text_columns()) }}
{%- endmacro %}
