with

calls as (
    select * from {{ ref('int_calls__identified') }}
),

prices as (
    select * from {{ ref('int_calls__priced') }}
),

segments as (
    select * from {{ ref('int_calls__segmented') }}
),

retrievals as (
    select * from {{ ref('int_traces__retrievals_counted') }}
),

outcomes as (
    select * from {{ ref('int_calls__outcomes_joined') }}
)

select
    calls.call_key,
    calls.trace_id,
    calls.span_id,
    calls.request_id,
    calls.feature,
    calls.environment,
    calls.tenant_key,
    segments.tenant_tier,
    calls.user_key,
    calls.session_key,
    calls.route,
    calls.provider,
    calls.request_model,
    calls.response_model,
    calls.system_fingerprint,
    calls.prompt_name,
    calls.prompt_version,
    segments.experiment_name,
    segments.experiment_bucket_name,
    calls.called_at,
    calls.call_date,
    calls.canary_id,
    calls.is_canary,
    calls.is_stream,
    calls.duration_ms,
    calls.ttft_ms,
    calls.tpot_ms,
    calls.chunk_gap_p99_ms,
    calls.input_tokens,
    calls.output_tokens,
    calls.cache_read_tokens,
    calls.reasoning_tokens,
    calls.total_tokens,
    prices.cost_usd,
    prices.price_source,
    prices.unpriced_reason,
    calls.finish_reason,
    calls.is_error,
    calls.error_class,
    calls.sample_weight,
    retrievals.retrieved_document_count,
    retrievals.retrieved_document_count = 0 as is_retrieval_empty,
    outcomes.is_escalated,
    outcomes.escalated_at,
    outcomes.escalation_recorded_at,
    outcomes.is_overridden,
    outcomes.overridden_at,
    outcomes.override_recorded_at,
    outcomes.is_converted,
    outcomes.conversion_value_usd,
    calls.arrived_at
from calls
inner join prices on calls.call_key = prices.call_key
inner join segments on calls.call_key = segments.call_key
inner join outcomes on calls.call_key = outcomes.call_key
left join retrievals on calls.trace_id = retrievals.trace_id
order by calls.called_at, calls.call_key
