{{ config(materialized='by_day', meta={'day': 'call_date'}) }}

select
    calls.call_date,
    cast(calls.arrived_at as date) as arrival_date,
    calls.service_name,
    count(*) as n_calls,
    count(*) filter (where prices.cost_usd is null) as n_unpriced_calls,
    sum(prices.cost_usd * {{ exact_weight('calls.sample_weight') }}) as cost_usd
from {{ ref('int_calls__identified') }} as calls
inner join {{ ref('int_calls__priced') }} as prices on calls.call_key = prices.call_key
group by calls.call_date, cast(calls.arrived_at as date), calls.service_name
