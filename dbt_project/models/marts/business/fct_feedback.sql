-- what people said about answers. Scales differ: a label in words, or a score of -1, 0 or 1 where
-- nobody scores higher, says whether they liked it; stars do not without knowing their middle, and
-- a 0 does not where somebody scores lower.
with

feedback as (
    select
        *,
        lower(trim(evaluation_label)) as said,
        evaluation_score in (-1, 0, 1)
        and max(abs(evaluation_score)) over (partition by evaluation_name) <= 1 as is_sign,
        evaluation_score = 0
        and min(evaluation_score) over (partition by evaluation_name) < 0 as is_neutral
    from {{ ref('fct_evaluations') }}
    where annotator_kind = 'human'
),

rated as (
    select
        *,
        case
            when said is not null then {{ is_liked('said') }}
            when is_sign and not is_neutral then evaluation_score > 0
        end as is_positive
    from feedback
),

calls as (
    select * from {{ ref('fct_llm_calls') }}
)

select
    rated.evaluation_key as feedback_key,
    rated.call_key,
    rated.trace_id,
    rated.span_id,
    calls.request_id,
    coalesce(rated.session_key, calls.session_key) as session_key,
    calls.user_key,
    calls.tenant_key,
    rated.feature,
    rated.environment,
    rated.request_model,
    calls.prompt_name,
    rated.prompt_version,
    coalesce(calls.is_canary, false) as is_canary,
    rated.evaluation_name,
    rated.evaluation_score,
    rated.evaluation_label,
    rated.is_positive,
    case
        when rated.is_positive is not null then null
        when rated.said is not null then 'unknown_label'
        when rated.evaluation_score is null then 'no_rating'
        when rated.is_sign and rated.is_neutral then 'neutral'
        else 'unknown_scale'
    end as unrated_reason,
    rated.evaluated_at,
    rated.evaluation_date,
    {{ seconds_between('calls.called_at', 'rated.evaluated_at') }} as feedback_delay_s,
    coalesce(rated.sample_weight, 1) as sample_weight,
    rated.arrived_at
from rated
left join calls on rated.call_key = calls.call_key
