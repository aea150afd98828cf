-- Cost is null with a reason, never zero, when tokens or price are unknown. Every call is priced
-- twice: as it was billed when it was made, and as the same call would be billed at as_of.
with

calls as (
    select * from {{ ref('int_calls__tokens_billed') }}
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
        calls.call_key,
        case
            when calls.is_gateway_cache_hit then 'gateway cache'
            else coalesce(calls.not_billed_reason, prices.price_source)
        end as price_source,
        {{ unpriced_reason('prices', 'calls') }} as unpriced_reason,
        {{ call_amount_usd('prices', 'calls', ['input']) }} as cost_input_usd,
        {{ call_amount_usd('prices', 'calls', ['cache_read']) }} as cost_cache_read_usd,
        {{ call_amount_usd('prices', 'calls', ['cache_write', 'cache_write_1h']) }}
            as cost_cache_write_usd,
        {{ call_amount_usd('prices', 'calls', ['output', 'reasoning']) }} as cost_output_usd,
        {{ call_amount_usd('prices', 'calls') }} as cost_usd,
        {{ unpriced_reason('todays', 'calls') }} is null as is_priced_today,
        {{ call_amount_usd('todays', 'calls') }} as cost_today_usd
    from calls
    left join prices
        on
            {{ price_is_of_call('prices', 'calls') }}
            and calls.called_at >= prices.valid_from_at
            and (calls.called_at < prices.valid_to_at or prices.valid_to_at is null)
    left join todays on {{ price_is_of_call('todays', 'calls') }}
)

select
    call_key,
    case when unpriced_reason is null then price_source end as price_source,
    unpriced_reason,
    case when unpriced_reason is null then cast(cost_input_usd as decimal(18, 9)) end
        as cost_input_usd,
    case when unpriced_reason is null then cast(cost_cache_read_usd as decimal(18, 9)) end
        as cost_cache_read_usd,
    case when unpriced_reason is null then cast(cost_cache_write_usd as decimal(18, 9)) end
        as cost_cache_write_usd,
    case when unpriced_reason is null then cast(cost_output_usd as decimal(18, 9)) end
        as cost_output_usd,
    case when unpriced_reason is null then cast(cost_usd as decimal(18, 9)) end as cost_usd,
    case when is_priced_today then cast(cost_today_usd as decimal(18, 9)) end as cost_today_usd
from matched
