{{ config(materialized='by_day', meta={'day': 'retrieval_date'}) }}

with

retrievals as (
    select *
    from {{ ref('stg_otel__spans') }}
    where span_type = 'retrieval'
),

traces as (
    select * from {{ ref('int_traces__identified') }}
)

select
    {{ surrogate_key(['retrievals.trace_id', 'retrievals.span_id']) }} as retrieval_key,
    retrievals.trace_id,
    retrievals.span_id,
    coalesce(retrievals.request_id, traces.request_id) as request_id,
    retrievals.feature,
    retrievals.environment,
    coalesce(retrievals.tenant_key, traces.tenant_key) as tenant_key,
    coalesce(retrievals.route, traces.route) as route,
    retrievals.started_at as retrieved_at,
    cast(retrievals.started_at as date) as retrieval_date,
    coalesce(retrievals.canary_id, traces.canary_id) is not null as is_canary,
    retrievals.duration_ms,
    retrievals.retrieved_document_count,
    retrievals.retrieved_document_count = 0 as is_empty,
    retrievals.retrieval_score_max as best_document_score,
    retrievals.retrieval_top_k,
    retrievals.packed_document_count,
    retrievals.dropped_document_count,
    retrievals.packed_tokens,
    retrievals.collapsed_span_count,
    retrievals.collapsed_duration_sum_ms,
    retrievals.collapsed_error_count,
    retrievals.status = 'error' as is_error,
    retrievals.sample_weight,
    retrievals.arrived_at
from retrievals
left join traces on retrievals.trace_id = traces.trace_id
