-- priced by the same book and the same rules as model calls
{{ config(materialized='by_day', meta={'day': 'call_date'}) }}

with

calls as (
    select * from {{ ref('int_embeddings__tokens_billed') }}
),

prices as (
    select * from {{ ref('stg_prices__price_book') }}
),

todays as (
    select *
    from prices
    where
        valid_from_at < {{ as_of() }}
        and (valid_to_at >= {{ as_of() }} or valid_to_at is null)
),

matched as (
    select
        calls.*,
        case
            when calls.is_gateway_cache_hit then 'gateway cache'
            else coalesce(calls.not_billed_reason, prices.price_source)
        end as found_price_source,
        {{ unpriced_reason('prices', 'calls') }} as unpriced_reason,
        {{ call_amount_usd('prices', 'calls') }} as amount_usd,
        {{ unpriced_reason('todays', 'calls') }} is null as is_priced_today,
        {{ call_amount_usd('todays', 'calls') }} as amount_today_usd
    from calls
    left join prices
        on
            {{ price_is_of_call('prices', 'calls') }}
            and calls.called_at >= prices.valid_from_at
            and (calls.called_at < prices.valid_to_at or prices.valid_to_at is null)
    left join todays on {{ price_is_of_call('todays', 'calls') }}
)

select
    embedding_key,
    trace_id,
    span_id,
    span_type,
    feature,
    environment,
    tenant_key,
    user_key,
    provider,
    priced_model as model,
    service_tier as price_tier,
    called_at,
    call_date,
    canary_id is not null as is_canary,
    told_input_tokens as input_tokens,
    case when unpriced_reason is null then cast(amount_usd as decimal(18, 9)) end as cost_usd,
    case when is_priced_today then cast(amount_today_usd as decimal(18, 9)) end as cost_today_usd,
    case when unpriced_reason is null then found_price_source end as price_source,
    unpriced_reason,
    sample_weight,
    arrived_at
from matched
order by called_at, embedding_key
