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
    calls.dialect,
    coalesce(calls.request_id, traces.request_id) as request_id,
    calls.service_name,
    calls.service_version,
    calls.feature,
    calls.environment,
    coalesce(calls.tenant_key, traces.tenant_key) as tenant_key,
    coalesce(calls.user_key, traces.user_key) as user_key,
    coalesce(calls.session_key, traces.session_key) as session_key,
    coalesce(calls.route, traces.route) as route,
    -- en_us and en-US are one locale
    replace(lower(coalesce(calls.locale, traces.locale)), '_', '-') as locale,
    calls.operation_name,
    calls.provider,
    calls.request_model,
    calls.response_model,
    coalesce(calls.response_model, calls.request_model) as priced_model,
    calls.response_id,
    calls.system_fingerprint,
    calls.service_tier,
    calls.prompt_name,
    calls.prompt_version,
    calls.prompt_hash,
    calls.temperature,
    calls.top_p,
    calls.max_tokens,
    calls.seed,
    calls.reasoning_level,
    calls.started_at as called_at,
    cast(calls.started_at as date) as call_date,
    coalesce(calls.canary_id, traces.canary_id) as canary_id,
    coalesce(calls.canary_id, traces.canary_id) is not null as is_canary,
    calls.is_stream,
    calls.duration_ms,
    coalesce(calls.is_clock_skewed, false) as is_clock_skewed,
    calls.queue_ms,
    calls.prefill_ms,
    calls.decode_ms,
    calls.ttft_ms,
    calls.ttft_source,
    calls.tpot_ms,
    calls.tpot_source,
    calls.chunk_count,
    calls.chunk_gap_p50_ms,
    calls.chunk_gap_p99_ms,
    calls.chunk_gap_max_ms,
    calls.input_tokens,
    calls.output_tokens,
    -- a gateway that repeats an answer repeats its usage too, and no provider's cache was read
    case when calls.is_gateway_cache_hit then 0 else calls.cache_read_tokens end
        as cache_read_tokens,
    case when calls.is_gateway_cache_hit then 0 else calls.cache_write_tokens end
        as cache_write_tokens,
    case when calls.is_gateway_cache_hit then 0 else calls.cache_write_1h_tokens end
        as cache_write_1h_tokens,
    calls.reasoning_tokens,
    calls.web_search_count,
    calls.is_gateway_cache_hit,
    calls.input_tokens + calls.output_tokens as total_tokens,
    calls.cost_reported_usd,
    {{ list_first('calls.finish_reasons') }} as finish_reason,
    {{ is_failed('calls') }} as is_error,
    -- a source may name an error that its call got over
    case when {{ is_failed('calls') }} then calls.error_class end as error_class,
    calls.error_type,
    calls.http_status_code,
    calls.input_text_chars,
    calls.output_text_chars,
    calls.output_text_words,
    calls.input_content_name,
    calls.output_content_name,
    calls.data_class,
    -- rows landed before these columns existed do not have them
    coalesce(calls.consent, 'unknown') as consent,
    coalesce(calls.is_text_withheld, false) as is_text_withheld,
    calls.sample_weight,
    calls.source_object,
    calls.source_offset,
    calls.arrived_at
from calls
left join traces on calls.trace_id = traces.trace_id
