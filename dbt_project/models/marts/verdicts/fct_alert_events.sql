-- as now known: the last revision of each row
select
    alert_event_key,
    revision,
    as_of,
    dedup_key,
    transition,
    feature,
    environment,
    signal,
    family,
    tier,
    earlier_tier,
    episode_started_at,
    transitioned_at,
    is_silent,
    is_told,
    clean_run_count,
    reminded_at,
    composite_score,
    owner,
    runbook,
    summary,
    details
from {{ ref('stg_judgement__alert_events') }}
qualify row_number() over (
    partition by alert_event_key
    order by revision desc
) = 1
