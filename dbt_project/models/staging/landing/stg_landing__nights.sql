select
    source_name,
    night_as_of,
    is_expected,
    object_count,
    landed_object_count,
    empty_object_count,
    quarantined_object_count,
    object_size_bytes,
    record_count,
    landed_count,
    duplicate_count,
    quarantined_count,
    late_count,
    redaction_count,
    usual_record_count,
    verdict
from {{ read_lake('ledger_nights') }}
where night_as_of <= {{ as_of() }}
