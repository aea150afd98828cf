-- the texts of evaluations come from staging: no step in between keeps a copy that retention and
-- erasure would have to know
{{ config(materialized='by_day', meta={'day': 'evaluation_date'}) }}

select
    matched.evaluation_key,
    matched.call_key,
    matched.trace_id,
    matched.span_id,
    matched.session_key,
    matched.response_id,
    matched.feature,
    matched.environment,
    matched.request_model,
    matched.prompt_version,
    matched.evaluation_name,
    matched.evaluation_kind,
    matched.is_bad,
    matched.evaluation_score,
    matched.evaluation_label,
    evaluations.explanation_redacted,
    matched.annotator_kind,
    matched.carrier,
    matched.evaluated_at,
    matched.evaluation_date,
    matched.sample_weight,
    matched.arrived_at
from {{ ref('int_evaluations__matched') }} as matched
inner join {{ ref('stg_otel__evaluations') }} as evaluations
    on matched.evaluation_key = evaluations.evaluation_key
