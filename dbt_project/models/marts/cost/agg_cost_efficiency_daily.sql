-- How a request ends is decided in one place, fct_requests. Dollars and good requests are of the
-- same requests: settled ones with a cost. Of a day that is not settled yet only the bad ones are
-- known, so counting them would make it look worse than it will be.
{{ config(materialized='by_day', meta={'day': 'call_date'}) }}

{% set groups = ['environment', 'feature', 'prompt_name', 'prompt_version', 'call_date'] %}

with

requests as (
    select
        *,
        request_date as call_date,
        {{ exact_weight() }} as weight,
        is_settled and is_good is not null and cost_usd is not null as is_counted
    from {{ ref('fct_requests') }}
    where
        not is_canary
        -- of others nobody will ever know that they were good
        and is_escalated is not null
        and is_overridden is not null
        and {{ touched_rows('request_date') }}
),

grouped as (
    select
        {{ groups | join(',\n        ') }},
        count(*) as n_requests,
        {{ weighted_count('is_good') }} as good_request_count,
        {{ weighted_count('not is_good') }} as bad_request_count,
        {{ weighted_count('is_good is null') }} as pending_request_count,
        {{ weighted_count('cost_usd is null') }} as unpriced_request_count,
        {{ weighted_count('is_converted') }} as won_request_count,
        count(*) filter (where is_counted) as n_counted_requests,
        {{ weighted_count('is_counted and is_good') }} as counted_good_request_count,
        cast(sum(cost_usd * weight) filter (where is_counted) as decimal(18, 9)) as cost_usd,
        cast(sum(conversion_value_usd * weight) filter (where is_counted) as decimal(18, 9))
            as conversion_value_usd
    from requests
    group by {{ groups | join(', ') }}
)

select
    {{ surrogate_key(groups) }} as efficiency_day_key,
    *,
    counted_good_request_count / nullif(cast(cost_usd as double), 0) as good_requests_per_usd,
    cast(cost_usd as double) / nullif(counted_good_request_count, 0) as cost_per_good_request_usd
from grouped
