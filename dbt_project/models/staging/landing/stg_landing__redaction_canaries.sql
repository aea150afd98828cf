select
    night_as_of,
    entity_type,
    planted_count,
    found_count,
    recall_ratio,
    recall_lower_ratio
from {{ read_lake('redaction_canaries') }}
where night_as_of <= {{ as_of() }}
