-- which documents a call had in its prompt and which were left out, as far as steps report it: what
-- its trace had packed before it started, not what later steps of an agent will pack
with

packings as (
    select *
    from {{ ref('stg_otel__spans') }}
    where
        packed_document_count is not null
        or dropped_document_count is not null
        or packed_tokens is not null
)

select
    calls.call_key,
    cast(sum(packings.packed_document_count) as bigint) as packed_document_count,
    cast(sum(packings.dropped_document_count) as bigint) as dropped_document_count,
    cast(sum(packings.packed_tokens) as bigint) as packed_tokens
from {{ ref('int_calls__identified') }} as calls
inner join packings
    on
        calls.trace_id = packings.trace_id
        and calls.called_at >= packings.started_at
group by calls.call_key
