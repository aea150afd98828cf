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
    -- rows written before the column existed do not have it
    coalesce(collapsed_count, 0) as collapsed_count,
    redaction_count,
    night_as_of,
    reason
from {{ read_lake('ledger') }}
where arrived_at < {{ as_of() }}
