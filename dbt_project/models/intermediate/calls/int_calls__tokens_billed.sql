-- Four quantities that must not be mixed up: what the caller was served, what the provider worked
-- on, what it bills, and (in int_calls__priced) what that costs. An answer that a gateway repeated
-- was served, but no provider saw it; a prompt read from the provider's cache was billed; what a
-- provider refused is not.
with

identified as (
    select
        calls.*,
        coalesce(calls.error_class, failures.error_class) as told_error_class,
        coalesce(calls.http_status_code, failures.http_status_code) as told_http_status_code
    from {{ ref('int_calls__identified') }} as calls
    left join {{ ref('int_calls__failures_matched') }} as failures
        on calls.call_key = failures.call_key
),

calls as (
    select
        *,
        coalesce(is_gateway_cache_hit, false) as is_repeated,
        {{ not_billed_reason('identified') }} as not_billed_reason,
        input_tokens is not null and output_tokens is not null as has_known_tokens,
        -- a source that reports no cache is billed as uncached; parts that are more than their
        -- whole are a counting mistake of the source
        least(coalesce(cache_read_tokens, 0), input_tokens) as read_tokens,
        least(coalesce(reasoning_tokens, 0), output_tokens) as thought_tokens
    from identified
),

cached as (
    select
        *,
        least(coalesce(cache_write_tokens, 0), input_tokens - read_tokens) as written_tokens
    from calls
),

split as (
    select
        *,
        least(coalesce(cache_write_1h_tokens, 0), written_tokens) as written_1h_tokens,
        is_repeated or not_billed_reason is not null as is_free
    from cached
)

select
    call_key,
    coalesce(provider, 'unknown') as provider,
    priced_model,
    coalesce(lower(service_tier), 'default') as service_tier,
    called_at,
    cast(floor(extract(second from called_at)) as bigint)
    + 60 * extract(minute from called_at)
    + 3600 * extract(hour from called_at) as called_second_s,
    coalesce(input_tokens, 0) as input_tokens,
    is_repeated as is_gateway_cache_hit,
    not_billed_reason,
    has_known_tokens,
    total_tokens as served_tokens,
    case when is_repeated then 0 else total_tokens end as provider_tokens,
    case when is_free then 0 else total_tokens end as billable_tokens,
    case when is_free then 0 else input_tokens - read_tokens - written_tokens end
        as billable_input_tokens,
    case when is_free then 0 else read_tokens end as billable_cache_read_tokens,
    case when is_free then 0 else written_tokens - written_1h_tokens end
        as billable_cache_write_tokens,
    case when is_free then 0 else written_1h_tokens end as billable_cache_write_1h_tokens,
    case when is_free then 0 else output_tokens - thought_tokens end
        as billable_output_tokens,
    case when is_free then 0 else thought_tokens end as billable_reasoning_tokens,
    case when is_free then 0 else coalesce(web_search_count, 0) end as web_search_count
from split
