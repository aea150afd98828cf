-- What a data point adds to its series. A delta point says so itself; a cumulative one adds its
-- difference to the point before, or all of itself after a reset: a new start, or a count that
-- went down. A first point without a start says nothing about when it was counted.
with

points as (
    select *
    from {{ ref('stg_otel__source_counters') }}
    where
        instrument <> 'gauge'
        and temporality is not null
        and coalesce(is_monotonic, true)
),

ordered as (
    select
        *,
        lag(measured_at) over series is null as is_first,
        lag(started_at) over series as previous_started_at,
        lag(point_count) over series as previous_count,
        lag(point_sum) over series as previous_sum
    from points
    window series as (partition by series_hash order by measured_at asc)
),

judged as (
    select
        *,
        case
            when temporality = 'delta' then true
            when is_first then started_at is not null
            else
                started_at > previous_started_at
                or coalesce(point_count < previous_count, false)
                or (point_count is null and point_sum < previous_sum)
        end as is_whole
    from ordered
)

select
    series_hash,
    measured_at,
    case
        when is_whole then point_count
        when not is_first then point_count - previous_count
    end as increase_count,
    case
        when is_whole then point_sum
        when not is_first then point_sum - previous_sum
    end as increase_sum
from judged
