select
    event_index,
    event_kind,
    recorded_at,
    person,
    login_name,
    reason,
    ticket,
    read_trace_id,
    read_span_id,
    key_name,
    key_id,
    row_count,
    text_count,
    previous_hash,
    event_hash
from {{ read_lake('break_glass_events') }}
where recorded_at < {{ as_of() }}
