-- what was found in the night's objects, beside what was found of the values planted in that night
with

counted as (
    select
        night_as_of,
        entity_type,
        value_count,
        object_count,
        cast(null as bigint) as planted_count,
        cast(null as bigint) as found_count,
        cast(null as double) as recall_ratio,
        cast(null as double) as recall_lower_ratio
    from {{ ref('int_daily__redactions_counted') }}
),

planted as (
    select
        night_as_of,
        entity_type,
        cast(null as bigint) as value_count,
        cast(0 as bigint) as object_count,
        planted_count,
        found_count,
        recall_ratio,
        recall_lower_ratio
    from {{ ref('stg_landing__redaction_canaries') }}
),

both_kinds as (
    select * from counted
    union all
    select * from planted
)

select
    {{ surrogate_key(['night_as_of', 'entity_type']) }} as redaction_night_key,
    night_as_of,
    entity_type,
    cast(sum(object_count) as bigint) as object_count,
    cast(coalesce(sum(value_count), 0) as bigint) as value_count,
    max(planted_count) as planted_count,
    max(found_count) as found_count,
    max(recall_ratio) as recall_ratio,
    max(recall_lower_ratio) as recall_lower_ratio
from both_kinds
group by night_as_of, entity_type
