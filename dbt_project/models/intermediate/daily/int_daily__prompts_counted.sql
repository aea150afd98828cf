-- sums stay exact numbers, so that days add up to what all calls at once would give
{{ config(materialized='by_day', meta={'day': 'call_date'}) }}

{% set groups = [
    'call_date', 'feature', 'environment', 'prompt_name', 'prompt_version', 'prompt_hash',
] %}

with

calls as (
    select
        calls.*,
        {{ exact_weight('calls.sample_weight') }} as weight,
        prices.cost_usd
    from {{ ref('int_calls__identified') }} as calls
    inner join {{ ref('int_calls__priced') }} as prices on calls.call_key = prices.call_key
    where
        calls.prompt_name is not null
        or calls.prompt_version is not null
        or calls.prompt_hash is not null
)

select
    {{ groups | join(',\n    ') }},
    count(*) as n_calls,
    sum(weight) as call_weight,
    min(called_at) as first_called_at,
    max(called_at) as last_called_at,
    sum(weight) filter (where is_error) as error_weight,
    sum(cast(input_tokens as decimal(18, 0)) * weight) as input_sum_tokens,
    sum(weight) filter (where input_tokens is not null) as known_input_weight,
    sum(cast(output_tokens as decimal(18, 0)) * weight) as output_sum_tokens,
    sum(weight) filter (where output_tokens is not null) as known_output_weight,
    sum(cost_usd * weight) as cost_usd,
    count(*) filter (where cost_usd is null) as n_unpriced_calls
from calls
group by {{ groups | join(', ') }}
