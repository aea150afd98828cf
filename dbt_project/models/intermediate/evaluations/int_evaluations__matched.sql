-- a result that knows its span belongs to it; one that knows only a response belongs to the call
-- that the response came from (its first, should a cache have repeated it). Its name says what it
-- asks; its label, else its score, whether the answer is bad news (config/evaluations.yml)
with

evaluations as (
    select
        *,
        {{ evaluation_kind('evaluation_name') }} as evaluation_kind,
        {{ is_high_score_bad('evaluation_name') }} as is_high_bad,
        lower(trim(evaluation_label)) as said
    from {{ ref('stg_otel__evaluations') }}
),

spans as (
    select * from {{ ref('stg_otel__spans') }}
),

traces as (
    select * from {{ ref('int_traces__identified') }}
),

responses as (
    select *
    from {{ ref('int_calls__identified') }}
    where response_id is not null
    qualify row_number() over (
        partition by response_id
        order by called_at asc, call_key asc
    ) = 1
)

select
    evaluations.evaluation_key,
    case
        when spans.is_leaf_model_call
            then {{ surrogate_key(['spans.trace_id', 'spans.span_id']) }}
        else responses.call_key
    end as call_key,
    evaluations.trace_id,
    evaluations.span_id,
    evaluations.session_key,
    evaluations.response_id,
    coalesce(spans.feature, responses.feature, traces.feature) as feature,
    coalesce(spans.environment, responses.environment, traces.environment) as environment,
    coalesce(spans.request_model, responses.request_model) as request_model,
    coalesce(spans.prompt_version, responses.prompt_version) as prompt_version,
    evaluations.evaluation_name,
    evaluations.evaluation_kind,
    {{ is_bad_news(
        'evaluations.said', 'evaluations.evaluation_score', 'evaluations.is_high_bad'
    ) }} as is_bad,
    evaluations.evaluation_score,
    evaluations.evaluation_label,
    evaluations.annotator_kind,
    evaluations.carrier,
    evaluations.evaluated_at,
    cast(evaluations.evaluated_at as date) as evaluation_date,
    coalesce(spans.sample_weight, responses.sample_weight) as sample_weight,
    evaluations.arrived_at
from evaluations
left join spans
    on
        evaluations.trace_id = spans.trace_id
        and evaluations.span_id = spans.span_id
left join traces on evaluations.trace_id = traces.trace_id
left join responses
    on
        evaluations.span_id is null
        and evaluations.response_id = responses.response_id
