-- what people said about answers. Scales differ: a label in words, or a score of -1, 0 or 1 where
-- nobody scores higher, says whether they liked it; stars do not without knowing their middle, and
-- a 0 does not where somebody scores lower. A view, because one new score may change what all older
-- ones of its name say.
{{ config(materialized=history_view()) }}

with

feedback as (
    select
        *,
        lower(trim(evaluation_label)) as said,
        evaluation_score in (-1, 0, 1)
        and max(abs(evaluation_score)) over (partition by evaluation_name) <= 1 as is_sign,
        evaluation_score = 0
        and min(evaluation_score) over (partition by evaluation_name) < 0 as is_neutral
    from {{ ref('int_evaluations__feedback_matched') }}
),

rated as (
    select
        *,
        case
            when said is not null then {{ is_liked('said') }}
            when is_sign and not is_neutral then evaluation_score > 0
        end as is_positive
    from feedback
)

select
    evaluation_key as feedback_key,
    call_key,
    trace_id,
    span_id,
    request_id,
    session_key,
    user_key,
    tenant_key,
    feature,
    environment,
    request_model,
    prompt_name,
    prompt_version,
    is_canary,
    evaluation_name,
    evaluation_score,
    evaluation_label,
    is_positive,
    case
        when is_positive is not null then null
        when said is not null then 'unknown_label'
        when evaluation_score is null then 'no_rating'
        when is_sign and is_neutral then 'neutral'
        else 'unknown_scale'
    end as unrated_reason,
    evaluated_at,
    evaluation_date,
    feedback_delay_s,
    sample_weight,
    arrived_at
from rated
