-- Organic calls by hour: a version may be taken back within a day. Sums stay exact numbers, so that
-- hours add up to what all calls at once would give.
{{ config(materialized='by_day', meta={'day': 'call_date'}) }}

{% set groups = [
    'call_date', 'hour_started_at', 'service_name', 'environment', 'service_version',
] %}

with

calls as (
    select
        calls.*,
        date_trunc('hour', calls.called_at) as hour_started_at,
        {{ exact_weight('calls.sample_weight') }} as weight,
        cast(calls.duration_ms as decimal(18, 3)) as exact_duration_ms,
        cast(calls.ttft_ms as decimal(18, 3)) as exact_ttft_ms,
        prices.cost_usd
    from {{ ref('int_calls__identified') }} as calls
    inner join {{ ref('int_calls__priced') }} as prices on calls.call_key = prices.call_key
    where not calls.is_canary
)

select
    {{ groups | join(',\n    ') }},
    count(*) as n_calls,
    sum(weight) as call_weight,
    sum(weight * weight) as squared_weight,
    min(called_at) as first_called_at,
    max(called_at) as last_called_at,
    sum(weight) filter (where is_error) as error_weight,
    sum(exact_duration_ms * weight) as duration_sum_ms,
    sum(weight) filter (where exact_duration_ms is not null) as known_duration_weight,
    sum(exact_ttft_ms * weight) as ttft_sum_ms,
    sum(weight) filter (where exact_ttft_ms is not null) as known_ttft_weight,
    sum(cost_usd * weight) as cost_usd,
    sum(weight) filter (where cost_usd is not null) as priced_weight,
    count(*) filter (where cost_usd is null) as n_unpriced_calls
from calls
group by {{ groups | join(', ') }}
