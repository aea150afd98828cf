-- the hot tier: what people asked and were answered lies here and in the lake only, so retention
-- can empty it without touching a number
with

calls as (
    select * from {{ ref('int_calls__identified') }}
),

texts as (
    select * from {{ ref('stg_otel__span_texts') }}
)

select
    calls.call_key,
    calls.feature,
    calls.environment,
    calls.request_model,
    calls.prompt_version,
    calls.called_at,
    calls.call_date,
    calls.canary_id,
    texts.input_text_redacted,
    texts.output_text_redacted,
    {{ sha256_hex('texts.output_text_redacted') }} as output_text_hash
from calls
inner join texts
    on
        calls.trace_id = texts.trace_id
        and calls.span_id = texts.span_id
        and calls.source_object = texts.source_object
        and calls.source_offset = texts.source_offset
order by calls.called_at, calls.call_key
