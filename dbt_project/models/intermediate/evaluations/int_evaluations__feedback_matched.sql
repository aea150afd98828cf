-- what people said, beside the call they said it about
{{ config(materialized='by_day', meta={'day': 'evaluation_date'}) }}

select
    evaluations.evaluation_key,
    evaluations.call_key,
    evaluations.trace_id,
    evaluations.span_id,
    calls.request_id,
    coalesce(evaluations.session_key, calls.session_key) as session_key,
    calls.user_key,
    calls.tenant_key,
    evaluations.feature,
    evaluations.environment,
    evaluations.request_model,
    calls.prompt_name,
    evaluations.prompt_version,
    coalesce(calls.is_canary, false) as is_canary,
    evaluations.evaluation_name,
    evaluations.evaluation_score,
    evaluations.evaluation_label,
    evaluations.evaluated_at,
    evaluations.evaluation_date,
    {{ seconds_between('calls.called_at', 'evaluations.evaluated_at') }} as feedback_delay_s,
    coalesce(evaluations.sample_weight, 1) as sample_weight,
    evaluations.arrived_at
from {{ ref('int_evaluations__matched') }} as evaluations
left join {{ ref('int_calls__identified') }} as calls on evaluations.call_key = calls.call_key
where evaluations.annotator_kind = 'human'
