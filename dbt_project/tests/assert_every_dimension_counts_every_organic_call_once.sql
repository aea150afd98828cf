with

organic as (
    select count(*) as n_calls
    from {{ ref('fct_llm_calls') }}
    where not is_canary and {{ touched_rows('call_date') }}
),

counted as (
    select
        'day' as period,
        dimension,
        sum(n_calls) as n_calls
    from {{ ref('agg_calls_daily') }}
    where {{ touched_rows('cast(period_started_at as date)') }}
    group by dimension
    union all
    select
        'hour' as period,
        dimension,
        sum(n_calls) as n_calls
    from {{ ref('agg_calls_hourly') }}
    where {{ touched_rows('cast(period_started_at as date)') }}
    group by dimension
)

select
    counted.period,
    counted.dimension,
    counted.n_calls,
    organic.n_calls as n_organic_calls
from counted
cross join organic
where counted.n_calls <> organic.n_calls
