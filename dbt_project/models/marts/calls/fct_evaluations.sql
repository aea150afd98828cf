with

evaluations as (
    select * from {{ ref('stg_otel__evaluations') }}
),

spans as (
    select * from {{ ref('stg_otel__spans') }}
)

select
    {{ surrogate_key([
        'evaluations.trace_id',
        'evaluations.span_id',
        'evaluations.evaluation_name',
        'evaluations.evaluated_at',
    ]) }} as evaluation_key,
    case
        when spans.is_leaf_model_call
            then {{ surrogate_key(['spans.trace_id', 'spans.span_id']) }}
    end as call_key,
    evaluations.trace_id,
    evaluations.span_id,
    spans.feature,
    spans.environment,
    spans.request_model,
    spans.prompt_version,
    evaluations.evaluation_name,
    evaluations.evaluation_score,
    evaluations.evaluation_label,
    evaluations.explanation_redacted,
    evaluations.carrier,
    evaluations.evaluated_at,
    cast(evaluations.evaluated_at as date) as evaluation_date,
    evaluations.arrived_at
from evaluations
left join spans
    on
        evaluations.trace_id = spans.trace_id
        and evaluations.span_id = spans.span_id
