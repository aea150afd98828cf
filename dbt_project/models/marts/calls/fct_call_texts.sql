-- the hot tier: what people asked and were answered lies here and in the lake only, so retention
-- can empty it without touching a number
{{ config(materialized='by_day', meta={'day': 'call_date'}) }}

with

calls as (
    select * from {{ ref('int_calls__identified') }}
),

own_texts as (
    select * from {{ ref('stg_otel__span_texts') }}
),

-- instrumentations that keep messages apart send them as log events or as objects of their own
late_texts as (
    select
        contents.call_key,
        contents.call_direction,
        contents.carrier,
        texts.text_redacted
    from {{ ref('int_calls__contents_matched') }} as contents
    inner join {{ ref('stg_otel__message_texts') }} as texts
        on
            contents.source_object = texts.source_object
            and contents.source_offset = texts.source_offset
            and contents.direction = texts.direction
),

assembled as (
    select
        calls.*,
        coalesce(own_texts.input_text_redacted, inputs.text_redacted) as input_text_redacted,
        coalesce(own_texts.output_text_redacted, outputs.text_redacted) as output_text_redacted,
        case when own_texts.input_text_redacted is not null then 'span' else inputs.carrier end
            as input_text_source,
        case when own_texts.output_text_redacted is not null then 'span' else outputs.carrier end
            as output_text_source
    from calls
    left join own_texts
        on
            calls.trace_id = own_texts.trace_id
            and calls.span_id = own_texts.span_id
            and calls.source_object = own_texts.source_object
            and calls.source_offset = own_texts.source_offset
    left join late_texts as inputs
        on calls.call_key = inputs.call_key and inputs.call_direction = 'input'
    left join late_texts as outputs
        on calls.call_key = outputs.call_key and outputs.call_direction = 'output'
)

select
    call_key,
    feature,
    environment,
    request_model,
    prompt_version,
    called_at,
    call_date,
    canary_id,
    input_text_redacted,
    output_text_redacted,
    {{ sha256_hex('output_text_redacted') }} as output_text_hash,
    input_text_source,
    output_text_source
from assembled
where input_text_redacted is not null or output_text_redacted is not null
order by called_at, call_key
