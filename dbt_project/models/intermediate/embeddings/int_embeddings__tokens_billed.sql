-- Embedding and rerank calls have one kind of token that is billed, that of the prompt. A span that
-- wraps another of its kind repeats its tokens; a row that stands for collapsed siblings has not
-- theirs.
with

spans as (
    select *
    from {{ ref('stg_otel__spans') }}
    where span_type in ('embedding', 'rerank')
),

wrappers as (
    select distinct
        trace_id,
        span_type,
        parent_span_id as span_id
    from spans
    where parent_span_id is not null
),

calls as (
    select
        spans.*,
        wrappers.span_id is not null as is_wrapper,
        {{ is_failed('spans') }} as is_error,
        spans.error_class as told_error_class,
        spans.http_status_code as told_http_status_code,
        coalesce(spans.is_gateway_cache_hit, false) as is_repeated
    from spans
    left join wrappers
        on
            spans.trace_id = wrappers.trace_id
            and spans.span_id = wrappers.span_id
            and spans.span_type = wrappers.span_type
),

refused as (
    select
        *,
        {{ not_billed_reason('calls') }} as not_billed_reason
    from calls
    where not is_wrapper
)

select
    {{ surrogate_key(['trace_id', 'span_id']) }} as embedding_key,
    trace_id,
    span_id,
    span_type,
    feature,
    environment,
    tenant_key,
    user_key,
    canary_id,
    coalesce(provider, 'unknown') as provider,
    coalesce(response_model, request_model) as priced_model,
    coalesce(lower(service_tier), 'default') as service_tier,
    started_at as called_at,
    cast(started_at as date) as call_date,
    cast(floor(extract(second from started_at)) as bigint)
    + 60 * extract(minute from started_at)
    + 3600 * extract(hour from started_at) as called_second_s,
    input_tokens as told_input_tokens,
    coalesce(input_tokens, 0) as input_tokens,
    is_repeated as is_gateway_cache_hit,
    not_billed_reason,
    input_tokens is not null and coalesce(collapsed_span_count, 0) = 0 as has_known_tokens,
    case when is_repeated or not_billed_reason is not null then 0 else input_tokens end
        as billable_input_tokens,
    0 as billable_cache_read_tokens,
    0 as billable_cache_write_tokens,
    0 as billable_cache_write_1h_tokens,
    0 as billable_output_tokens,
    0 as billable_reasoning_tokens,
    0 as web_search_count,
    sample_weight,
    arrived_at
from refused
