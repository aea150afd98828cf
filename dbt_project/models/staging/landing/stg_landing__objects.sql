{{ config(materialized='by_day', meta={'day': 'cast(arrived_at as date)', 'axes': ['arrival']}) }}

select
    source_object,
    source_name,
    etag,
    source_sha256,
    object_size_bytes,
    arrived_at,
    format,
    signal,
    dialect,
    status,
    record_count,
    landed_count,
    duplicate_count,
    quarantined_count,
    late_count,
    -- rows written before the columns existed do not have them
    coalesce(collapsed_count, 0) as collapsed_count,
    coalesce(erased_count, 0) as erased_count,
    redaction_count,
    night_as_of,
    reason
from {{ read_lake('ledger') }}
where arrived_at < {{ as_of() }}
