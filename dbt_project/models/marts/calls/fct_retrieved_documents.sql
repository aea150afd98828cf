{{ config(materialized='by_day', meta={'day': 'retrieval_date'}) }}

with

documents as (
    select * from {{ ref('stg_otel__retrieval_documents') }}
),

spans as (
    select * from {{ ref('stg_otel__spans') }}
),

traces as (
    select * from {{ ref('int_traces__identified') }}
)

select
    {{ surrogate_key(['documents.trace_id', 'documents.span_id', 'documents.document_rank']) }}
        as retrieved_document_key,
    {{ surrogate_key(['documents.trace_id', 'documents.span_id']) }} as retrieval_key,
    documents.trace_id,
    documents.span_id,
    spans.span_type,
    spans.feature,
    spans.environment,
    documents.document_rank,
    documents.document_id,
    documents.document_score,
    documents.is_packed,
    documents.document_tokens,
    documents.document_content_hash,
    documents.retrieved_at,
    cast(documents.retrieved_at as date) as retrieval_date,
    coalesce(spans.canary_id, traces.canary_id) is not null as is_canary,
    spans.sample_weight,
    documents.arrived_at
from documents
left join spans
    on
        documents.trace_id = spans.trace_id
        and documents.span_id = spans.span_id
left join traces on documents.trace_id = traces.trace_id
