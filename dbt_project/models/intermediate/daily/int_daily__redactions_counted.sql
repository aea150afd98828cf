{{ config(
    materialized='by_day', meta={'day': 'cast(night_as_of - interval 1 day as date)', 'axes': ['arrival']}
) }}

select
    night_as_of,
    entity_type,
    count(distinct source_object) as object_count,
    cast(sum(value_count) as bigint) as value_count
from {{ ref('stg_landing__redaction_counts') }}
group by night_as_of, entity_type
