-- A version that is called again is a deploy of its own when it must have been away: had it kept
-- the larger of its shares in the hours before and after, the calls of other versions in between
-- would hold at least min_missed_count of its own. So a roll-back is seen within hours where there
-- is traffic, silence ends nothing, and a version that gets few calls of many is not cut in pieces.
with

hours as (
    select
        *,
        cast(sum(named_count) over (
            partition by service_name, environment, hour_started_at
        ) as bigint) as n_hour_calls,
        cast(sum(named_count) over (
            partition by service_name, environment
            order by hour_started_at asc
            range between unbounded preceding and current row
        ) as bigint) as n_calls_so_far
    from (
        select
            *,
            -- a call that names no version may be of any: it says of none that it was away
            case when service_version is null then 0 else n_calls end as named_count
        from {{ ref('int_daily__versions_counted') }}
    ) as counted
),

neighbours as (
    select
        *,
        -- in the hours between, of other versions, since this one has no row there
        n_calls_so_far - n_hour_calls - lag(n_calls_so_far) over named_version as n_other_calls,
        lag(n_calls) over named_version as n_calls_before,
        lag(n_hour_calls) over named_version as n_hour_calls_before
    from hours
    window named_version as (
        partition by service_name, environment, service_version
        order by hour_started_at asc
    )
),

begun as (
    select
        *,
        case
            when n_calls_before is null then 1
            when service_version is null then 0
            when n_other_calls * n_calls >= {{ var('min_missed_count') }} * n_hour_calls then 1
            when
                n_other_calls * n_calls_before
                >= {{ var('min_missed_count') }} * n_hour_calls_before then 1
            else 0
        end as begun_count
    from neighbours
)

select
    call_date,
    hour_started_at,
    service_name,
    environment,
    service_version,
    cast(sum(begun_count) over (
        partition by service_name, environment, service_version
        order by hour_started_at asc
        rows between unbounded preceding and current row
    ) as int) as deploy_index,
    n_calls,
    call_weight,
    squared_weight,
    first_called_at,
    last_called_at,
    error_weight,
    duration_sum_ms,
    known_duration_weight,
    ttft_sum_ms,
    known_ttft_weight,
    cost_usd,
    priced_weight,
    n_unpriced_calls
from begun
