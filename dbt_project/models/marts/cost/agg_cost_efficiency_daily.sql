-- A request is good when the time in which complaints come has passed and none came, bad when one
-- came, and pending before. Dollars and good requests are of the same requests: those whose
-- outcome and cost are known. A request belongs to the prompt of its first call.
{% set groups = ['environment', 'feature', 'prompt_name', 'prompt_version', 'call_date'] %}

with

calls as (
    select
        *,
        {{ exact_weight() }} as weight,
        row_number() over (
            partition by request_id, environment, feature order by called_at asc, call_key asc
        ) as call_rank
    from {{ ref('fct_llm_calls') }}
    where not is_canary and request_id is not null
),

requests as (
    select
        request_id,
        environment,
        feature,
        max(prompt_name) filter (where call_rank = 1) as prompt_name,
        max(prompt_version) filter (where call_rank = 1) as prompt_version,
        min(called_at) as first_called_at,
        max(weight) as weight,
        case when count(cost_usd) = count(*) then sum(cost_usd) end as cost_usd,
        max(case when is_escalated or is_overridden then 1 else 0 end) = 1 as is_bad,
        max(case when is_converted then 1 else 0 end) = 1 as is_won,
        max(conversion_value_usd) as conversion_value_usd
    from calls
    group by request_id, environment, feature
),

judged as (
    select
        *,
        cast(first_called_at as date) as call_date,
        not is_bad
        and {{ seconds_between('first_called_at', as_of()) }}
        >= 3600 * {{ policy_number('outcome_maturity_h') }} as is_good
    from requests
),

settled as (
    select
        *,
        (is_good or is_bad) and cost_usd is not null as is_counted
    from judged
),

grouped as (
    select
        {{ groups | join(',\n        ') }},
        count(*) as n_requests,
        {{ weighted_count('is_good') }} as good_request_count,
        {{ weighted_count('is_bad') }} as bad_request_count,
        {{ weighted_count('not coalesce(is_good, false) and not is_bad') }}
            as pending_request_count,
        {{ weighted_count('cost_usd is null') }} as unpriced_request_count,
        {{ weighted_count('is_won') }} as won_request_count,
        count(*) filter (where is_counted) as n_counted_requests,
        {{ weighted_count('is_counted and is_good') }} as counted_good_request_count,
        cast(sum(cost_usd * weight) filter (where is_counted) as decimal(18, 9)) as cost_usd,
        cast(sum(conversion_value_usd * weight) filter (where is_counted) as decimal(18, 9))
            as conversion_value_usd
    from settled
    group by {{ groups | join(', ') }}
)

select
    {{ surrogate_key(groups) }} as efficiency_day_key,
    *,
    counted_good_request_count / nullif(cast(cost_usd as double), 0) as good_requests_per_usd,
    cast(cost_usd as double) / nullif(counted_good_request_count, 0) as cost_per_good_request_usd
from grouped
