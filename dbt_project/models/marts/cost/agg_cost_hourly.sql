-- Every call that was made costs money, so canaries are here too, as rows of their own.
{{ config(materialized='by_day', meta={'day': 'call_date'}) }}

{% set groups = [
    'hour_started_at', 'environment', 'feature', 'tenant_key', 'prompt_name', 'prompt_version',
    'provider', 'model', 'price_tier', 'is_canary',
] %}

with

calls as (
    select
        *,
        date_trunc('hour', called_at) as hour_started_at,
        {{ exact_weight() }} as weight
    from {{ ref('fct_call_costs') }}
    where {{ touched_rows('call_date') }}
)

select
    {{ surrogate_key(groups) }} as cost_hour_key,
    {{ groups | join(',\n    ') }},
    call_date,
    count(*) as n_calls,
    {{ weighted_count('true') }} as call_count,
    {{ weighted_count('is_gateway_cache_hit') }} as gateway_cache_hit_count,
    {{ weighted_sum('served_tokens') }} as served_sum_tokens,
    {{ weighted_sum('provider_tokens') }} as provider_sum_tokens,
    {{ weighted_sum('billable_tokens') }} as billable_sum_tokens,
    {{ weighted_sum('billable_input_tokens') }} as billable_input_sum_tokens,
    {{ weighted_sum('billable_cache_read_tokens') }} as billable_cache_read_sum_tokens,
    {{ weighted_sum('billable_cache_write_tokens + billable_cache_write_1h_tokens') }}
        as billable_cache_write_sum_tokens,
    {{ weighted_sum('billable_output_tokens + billable_reasoning_tokens') }}
        as billable_output_sum_tokens,
    {{ weighted_sum('billable_reasoning_tokens') }} as billable_reasoning_sum_tokens,
    cast(sum(cost_input_usd * weight) as decimal(18, 9)) as cost_input_usd,
    cast(sum(cost_cache_read_usd * weight) as decimal(18, 9)) as cost_cache_read_usd,
    cast(sum(cost_cache_write_usd * weight) as decimal(18, 9)) as cost_cache_write_usd,
    cast(sum(cost_output_usd * weight) as decimal(18, 9)) as cost_output_usd,
    cast(sum(cost_usd * weight) as decimal(18, 9)) as cost_usd,
    cast(sum(cost_today_usd * weight) as decimal(18, 9)) as cost_today_usd,
    count(*) filter (where cost_usd is null) as n_unpriced_calls,
    {{ weighted_count('cost_usd is null') }} as unpriced_call_count
from calls
group by {{ groups | join(', ') }}, call_date
