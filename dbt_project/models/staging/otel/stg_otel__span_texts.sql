-- texts stay in the lake; ephemeral, so the warehouse holds them in fct_call_texts only
{{ config(materialized='ephemeral') }}

select
    trace_id,
    span_id,
    source_object,
    source_offset,
    input_text_redacted,
    output_text_redacted
from {{ read_lake('spans') }}
where
    arrived_at < {{ as_of() }}
    and started_at < {{ as_of() }}
    and is_leaf_model_call
    and (input_text_redacted is not null or output_text_redacted is not null)
