{{ config(materialized='by_day', meta={'day': 'arrival_date', 'axes': ['arrival']}) }}

select
    source_object,
    source_name,
    etag,
    source_sha256,
    object_size_bytes,
    arrived_at,
    cast(arrived_at as date) as arrival_date,
    format,
    signal,
    dialect,
    status,
    record_count,
    landed_count,
    duplicate_count,
    quarantined_count,
    late_count,
    collapsed_count,
    erased_count,
    redaction_count,
    night_as_of,
    reason
from {{ ref('stg_landing__objects') }}
