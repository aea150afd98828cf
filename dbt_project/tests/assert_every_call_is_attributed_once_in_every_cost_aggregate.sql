-- users, tenants and hours must add up to the bill, priced calls and others alike
with

calls as (
    select
        count(*) as n_calls,
        count(*) filter (where cost_usd is null) as n_unpriced_calls
    from {{ ref('fct_call_costs') }}
    where {{ touched_rows('call_date') }}
),

hours as (
    select
        coalesce(sum(n_calls), 0) as n_calls,
        coalesce(sum(n_unpriced_calls), 0) as n_unpriced_calls
    from {{ ref('agg_cost_hourly') }}
    where {{ touched_rows('call_date') }}
),

users as (
    select
        coalesce(sum(n_calls), 0) as n_calls,
        coalesce(sum(n_unpriced_calls), 0) as n_unpriced_calls
    from {{ ref('agg_user_cost_daily') }}
    where {{ touched_rows('call_date') }}
)

select
    calls.n_calls,
    hours.n_calls as n_calls_of_hours,
    users.n_calls as n_calls_of_users
from calls
cross join hours
cross join users
where
    calls.n_calls <> hours.n_calls
    or calls.n_calls <> users.n_calls
    or calls.n_unpriced_calls <> hours.n_unpriced_calls
    or calls.n_unpriced_calls <> users.n_unpriced_calls
