-- as now known: the last revision of each event
select
    override_event_key,
    revision,
    feature,
    environment,
    override_id,
    event_kind,
    recorded_at,
    change_ref,
    reason,
    requested_by,
    approved_by,
    created_at,
    expires_at,
    login_name,
    event_index,
    event_hash
from {{ ref('stg_judgement__freeze_overrides') }}
qualify row_number() over (
    partition by override_event_key
    order by revision desc
) = 1
