-- as now known: the last revision of each evaluated window
select
    slo_window_key,
    revision,
    as_of,
    slo_name,
    feature,
    environment,
    objective,
    limit_text,
    op,
    consequence,
    window_started_at,
    window_ended_at,
    event_count,
    bad_count,
    pending_count,
    bad_lower_ratio,
    bad_upper_ratio,
    consumed_lower_ratio,
    consumed_nowcast_ratio,
    consumed_upper_ratio,
    bad_interval_lower_ratio,
    bad_interval_upper_ratio,
    p_breach,
    event_24h_count,
    bad_24h_count,
    bad_24h_ratio,
    burn_rate_24h,
    worst_24h_ratio,
    worst_24h_ended_at,
    detector_score,
    time_to_exhaustion_h,
    verdict,
    state_hint,
    burn_windows,
    reason,
    input_hash,
    evidence_query
from {{ ref('stg_judgement__slo_windows') }}
qualify row_number() over (
    partition by slo_window_key
    order by revision desc
) = 1
