-- A version that is called again is a deploy of its own when it must have been away: had it kept
-- the smaller of its shares in the 24 hours before and after, the calls of other versions in
-- between would hold at least min_missed_count of its own. So a roll-back is seen within hours
-- where there is traffic; silence ends nothing, and neither a version that gets few calls of many,
-- nor one that is rolled out step by step, nor an old one's straggler is cut in pieces.
{%- set version = 'partition by service_name, environment, service_version' -%}
{%- set service = 'partition by service_name, environment' -%}
{%- set before = 'range between interval 23 hour preceding and current row' -%}
{%- set after = 'range between current row and interval 23 hour following' %}

with

named as (
    select
        *,
        -- a call that names no version may be of any: it says of none that it was away
        case when service_version is null then 0 else n_calls end as named_count
    from {{ ref('int_daily__versions_counted') }}
),

shares as (
    select
        *,
        sum(named_count) over ({{ service }}, hour_started_at) as hour_count,
        sum(named_count) over (
            {{ service }} order by hour_started_at asc
            range between unbounded preceding and current row
        ) as past_count,
        sum(n_calls) over ({{ version }} order by hour_started_at asc {{ before }})
            as own_before_count,
        sum(named_count) over ({{ service }} order by hour_started_at asc {{ before }})
            as all_before_count,
        sum(n_calls) over ({{ version }} order by hour_started_at asc {{ after }})
            as own_after_count,
        sum(named_count) over ({{ service }} order by hour_started_at asc {{ after }})
            as all_after_count
    from named
),

neighbours as (
    select
        *,
        -- in the hours between, of other versions, since this one has no row there
        past_count - hour_count - lag(past_count) over own as other_count,
        lag(own_before_count) over own as previous_own_count,
        lag(all_before_count) over own as previous_all_count
    from shares
    window own as ({{ version }} order by hour_started_at asc)
),

begun as (
    select
        *,
        case
            when previous_own_count is null then 1
            when service_version is null then 0
            when
                other_count * previous_own_count
                >= {{ var('min_missed_count') }} * previous_all_count
                and other_count * own_after_count
                >= {{ var('min_missed_count') }} * all_after_count
                then 1
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
        {{ version }} order by hour_started_at asc
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
