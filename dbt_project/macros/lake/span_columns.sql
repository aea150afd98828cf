{# Columns of a span that hold no free text; kept equal to contracts/lake.py by a test. #}
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
        'service_name',
        'service_version',
        'environment',
        'feature',
        'tenant_key',
        'user_key',
        'session_key',
        'request_id',
        'route',
        'provider',
        'request_model',
        'response_model',
        'response_id',
        'system_fingerprint',
        'is_stream',
        'temperature',
        'max_tokens',
        'input_tokens',
        'output_tokens',
        'cache_read_tokens',
        'cache_write_tokens',
        'reasoning_tokens',
        'ttft_ms',
        'ttft_source',
        'tpot_ms',
        'tpot_source',
        'chunk_gap_p99_ms',
        'finish_reasons',
        'status',
        'error_type',
        'error_class',
        'prompt_name',
        'prompt_version',
        'tool_name',
        'agent_name',
        'workflow_name',
        'retrieved_document_count',
        'retrieval_score_max',
        'canary_id',
        'cost_reported_usd',
        'sample_weight',
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
