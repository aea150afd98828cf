-- as now known: the last revision of each verdict
select
    verdict_key,
    revision,
    as_of,
    family,
    question,
    feature,
    environment,
    model,
    prompt_version,
    tenant_key,
    window_started_at,
    window_ended_at,
    reference_started_at,
    reference_ended_at,
    value,
    value_lower,
    value_upper,
    unit,
    threshold,
    p_value,
    q_value,
    n_reference,
    n_current,
    verdict,
    reason,
    method,
    method_version,
    seed,
    input_hash,
    evidence_query,
    details
from {{ ref('stg_judgement__verdicts') }}
qualify row_number() over (
    partition by verdict_key
    order by revision desc
) = 1
