with

calls as (
    select
        coalesce(provider, 'unknown') as provider,
        priced_model as model,
        cast(sum(n_calls) as bigint) as n_calls,
        cast(sum(call_weight) as double) as call_count,
        min(first_called_at) as first_called_at,
        max(last_called_at) as last_called_at
    from {{ ref('int_daily__models_counted') }}
    where priced_model is not null
    group by coalesce(provider, 'unknown'), priced_model
),

prices as (
    select *
    from {{ ref('stg_prices__price_book') }}
    where
        service_tier = 'default'
        and input_from_tokens = 0
        and day_from_s = 0
        and valid_from_at < {{ as_of() }}
        and (valid_to_at >= {{ as_of() }} or valid_to_at is null)
)

select
    {{ surrogate_key(['calls.provider', 'calls.model']) }} as model_key,
    calls.provider,
    calls.model,
    calls.n_calls,
    calls.call_count,
    calls.first_called_at,
    calls.last_called_at,
    prices.input_usd_per_token,
    prices.cache_read_usd_per_token,
    prices.output_usd_per_token,
    prices.price_source,
    case
        when prices.provider is null then 'no_price_at_call_time'
        else prices.unpriced_reason
    end as unpriced_reason
from calls
left join prices
    on
        calls.provider = prices.provider
        and calls.model = prices.model
