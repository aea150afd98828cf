-- Calls without a user are rows too, or the users would not add up to the bill.
{{ config(materialized='by_day', meta={'day': 'call_date'}) }}

{% set groups = ['tenant_key', 'user_key', 'environment', 'feature', 'call_date', 'is_canary'] %}

with

calls as (
    select
        *,
        {{ exact_weight() }} as weight
    from {{ ref('fct_call_costs') }}
    where {{ touched_rows('call_date') }}
)

select
    {{ surrogate_key(groups) }} as user_cost_day_key,
    {{ groups | join(',\n    ') }},
    count(*) as n_calls,
    {{ weighted_count('true') }} as call_count,
    {{ weighted_sum('billable_tokens') }} as billable_sum_tokens,
    cast(sum(cost_usd * weight) as decimal(18, 9)) as cost_usd,
    cast(sum(cost_today_usd * weight) as decimal(18, 9)) as cost_today_usd,
    count(*) filter (where cost_usd is null) as n_unpriced_calls,
    {{ weighted_count('cost_usd is null') }} as unpriced_call_count
from calls
group by {{ groups | join(', ') }}
