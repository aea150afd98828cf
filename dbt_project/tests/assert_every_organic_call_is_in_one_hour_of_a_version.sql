with

organic as (
    select count(*) as n_calls
    from {{ ref('fct_llm_calls') }}
    where not is_canary and {{ touched_rows('call_date') }}
),

counted as (
    select coalesce(sum(n_calls), 0) as n_calls
    from {{ ref('int_deploys__hours_numbered') }}
    where {{ touched_rows('call_date') }}
)

select
    counted.n_calls,
    organic.n_calls as n_organic_calls
from counted
cross join organic
where counted.n_calls <> organic.n_calls
