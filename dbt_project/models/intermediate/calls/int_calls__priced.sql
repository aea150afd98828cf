-- cost is null with a reason, never zero, when tokens or price are unknown
with

calls as (
    select
        call_key,
        coalesce(provider, 'unknown') as provider,
        priced_model,
        called_at,
        cast(input_tokens as decimal(18, 0)) as input_tokens,
        cast(output_tokens as decimal(18, 0)) as output_tokens,
        -- a source that reports no cache reads is billed as uncached; more cached tokens than
        -- prompt tokens are a counting mistake of the source
        cast(
            least(coalesce(cache_read_tokens, 0), input_tokens) as decimal(18, 0)
        ) as cache_read_tokens
    from {{ ref('int_calls__identified') }}
),

prices as (
    select * from {{ ref('stg_prices__price_book') }}
),

matched as (
    select
        calls.*,
        prices.price_source,
        prices.input_usd_per_token,
        coalesce(prices.cache_read_usd_per_token, prices.input_usd_per_token)
            as cache_read_usd_per_token,
        prices.output_usd_per_token,
        case
            when calls.priced_model is null then 'no_model_name'
            when prices.provider is null then 'no_price_at_call_time'
            when prices.unpriced_reason is not null then prices.unpriced_reason
            when calls.input_tokens is null or calls.output_tokens is null then 'unknown_tokens'
        end as unpriced_reason
    from calls
    left join prices
        on
            calls.provider = prices.provider
            and calls.priced_model = prices.model
            and calls.called_at >= prices.valid_from_at
            and (calls.called_at < prices.valid_to_at or prices.valid_to_at is null)
)

select
    call_key,
    provider,
    priced_model,
    case when unpriced_reason is null then price_source end as price_source,
    unpriced_reason,
    case
        when unpriced_reason is null
            then cast(
                (input_tokens - cache_read_tokens) * input_usd_per_token
                + cache_read_tokens * cache_read_usd_per_token
                + output_tokens * output_usd_per_token
                as decimal(18, 9)
            )
    end as cost_usd
from matched
