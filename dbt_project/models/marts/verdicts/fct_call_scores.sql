-- as now known: the last revision of each score
select
    call_score_key,
    revision,
    as_of,
    call_key,
    feature,
    environment,
    model,
    prompt_version,
    called_at,
    is_canary,
    evaluator,
    evaluator_version,
    evaluation_score,
    threshold_score,
    is_bad,
    p_value,
    q_value,
    sample_weight,
    judge_cost_usd,
    reason,
    details
from {{ ref('stg_judgement__call_scores') }}
qualify row_number() over (
    partition by call_score_key
    order by revision desc
) = 1
