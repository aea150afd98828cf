-- who read sealed originals and why, and which day keys were destroyed; no text is in it
select
    event_index,
    event_kind,
    recorded_at,
    cast(recorded_at as date) as recorded_date,
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
from {{ ref('stg_landing__break_glass_events') }}
