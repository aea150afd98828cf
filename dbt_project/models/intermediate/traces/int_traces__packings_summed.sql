-- which documents a trace put into its prompts and which it left out, as far as steps report it
select
    trace_id,
    min(started_at) as packed_at,
    cast(sum(packed_document_count) as bigint) as packed_document_count,
    cast(sum(dropped_document_count) as bigint) as dropped_document_count,
    cast(sum(packed_tokens) as bigint) as packed_tokens
from {{ ref('stg_otel__spans') }}
where
    packed_document_count is not null
    or dropped_document_count is not null
    or packed_tokens is not null
group by trace_id
