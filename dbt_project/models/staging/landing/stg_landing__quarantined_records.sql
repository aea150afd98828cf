select
    source_object,
    source_offset,
    source_sha256,
    reason,
    detail_redacted,
    sample_redacted,
    arrived_at,
    night_as_of
from {{ read_lake('quarantine') }}
where arrived_at < {{ as_of() }}
