with

organic as (
    select count(*) as n_calls
    from {{ ref('fct_llm_calls') }}
    where not is_canary and {{ touched_rows('call_date') }}
),

aggregated as (
    select coalesce(sum(n_calls), 0) as n_calls
    from {{ ref('agg_feature_daily') }}
    where {{ touched_rows('call_date') }}
)

select
    organic.n_calls as n_organic_calls,
    aggregated.n_calls as n_aggregated_calls
from organic
cross join aggregated
where organic.n_calls <> aggregated.n_calls
