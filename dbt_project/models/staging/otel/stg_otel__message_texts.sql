-- texts stay in the lake; ephemeral, so the warehouse holds them in fct_call_texts only
{{ config(materialized='ephemeral') }}

select
    source_object,
    source_offset,
    direction,
    text_redacted
from {{ read_lake('message_contents') }}
where
    arrived_at < {{ as_of() }}
    and recorded_at < {{ as_of() }}
    and text_redacted is not null
