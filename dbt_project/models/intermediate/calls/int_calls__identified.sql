-- leaf model calls only: a wrapping span repeats the tokens of the call inside it
with

calls as (
    select *
    from {{ ref('stg_otel__spans') }}
    where is_leaf_model_call
),

traces as (
    select * from {{ ref('int_traces__identified') }}
)

select
    {{ surrogate_key(['calls.trace_id', 'calls.span_id']) }} as call_key,
    calls.trace_id,
    calls.span_id,
    coalesce(calls.request_id, traces.request_id) as request_id,
    calls.feature,
    calls.environment,
    coalesce(calls.tenant_key, traces.tenant_key) as tenant_key,
    coalesce(calls.user_key, traces.user_key) as user_key,
    coalesce(calls.session_key, traces.session_key) as session_key,
    coalesce(calls.route, traces.route) as route,
    calls.provider,
    calls.request_model,
    calls.response_model,
    coalesce(calls.response_model, calls.request_model) as priced_model,
    calls.system_fingerprint,
    calls.prompt_name,
    calls.prompt_version,
    calls.started_at as called_at,
    cast(calls.started_at as date) as call_date,
    coalesce(calls.canary_id, traces.canary_id) as canary_id,
    coalesce(calls.canary_id, traces.canary_id) is not null as is_canary,
    calls.is_stream,
    calls.duration_ms,
    calls.ttft_ms,
    calls.tpot_ms,
    calls.chunk_gap_p99_ms,
    calls.input_tokens,
    calls.output_tokens,
    calls.cache_read_tokens,
    calls.reasoning_tokens,
    calls.input_tokens + calls.output_tokens as total_tokens,
    {{ list_first('calls.finish_reasons') }} as finish_reason,
    calls.status = 'error' as is_error,
    calls.error_class,
    calls.sample_weight,
    calls.source_object,
    calls.source_offset,
    calls.arrived_at
from calls
left join traces on calls.trace_id = traces.trace_id
