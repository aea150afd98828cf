-- Of settled days only: what a good outcome cost, beside the thirty settled days before. Sums are
-- divided, never averages averaged.
{% set before -%}
over (
    partition by feature, environment
    order by day_started_at
    range between interval 30 day preceding and interval 1 day preceding
)
{%- endset %}

with

days as (
    select
        feature,
        environment,
        call_date,
        cast(call_date as {{ type_instant() }}) as day_started_at,
        cast(sum(n_counted_requests) as bigint) as n_counted_requests,
        sum(counted_good_request_count) as good_request_count,
        sum(cost_usd) as cost_usd
    from {{ ref('agg_cost_efficiency_daily') }}
    group by feature, environment, call_date
    having sum(pending_request_count) = 0 and sum(n_counted_requests) > 0
),

compared as (
    select
        *,
        sum(good_request_count) {{ before }} as baseline_good_request_count,
        sum(cost_usd) {{ before }} as baseline_cost_usd
    from days
),

priced as (
    select
        feature,
        environment,
        call_date,
        day_started_at,
        -- when the last request of the day could settle
        day_started_at
        + interval {{ 24 + (var('outcome_maturity_h') | int) }} hour
        - interval 1 microsecond as arrived_at,
        n_counted_requests,
        good_request_count,
        cast(cost_usd as decimal(18, 9)) as cost_usd,
        cast(cost_usd as double) / nullif(good_request_count, 0) as cost_per_good_request_usd,
        coalesce(baseline_good_request_count, 0) as baseline_good_request_count,
        cast(baseline_cost_usd as double)
        / nullif(baseline_good_request_count, 0) as baseline_cost_per_good_request_usd
    from compared
)

select
    {{ surrogate_key(['feature', 'environment', 'call_date']) }} as outcome_cost_day_key,
    *,
    cost_per_good_request_usd / nullif(baseline_cost_per_good_request_usd, 0) - 1
        as baseline_deviation_ratio
from priced
