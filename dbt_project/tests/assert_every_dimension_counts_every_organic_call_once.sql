with

organic as (
    select count(*) as n_calls
    from {{ ref('fct_llm_calls') }}
    where not is_canary
),

counted as (
    select
        'day' as period,
        dimension,
        sum(n_calls) as n_calls
    from {{ ref('agg_calls_daily') }}
    group by dimension
    union all
    select
        'hour' as period,
        dimension,
        sum(n_calls) as n_calls
    from {{ ref('agg_calls_hourly') }}
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
