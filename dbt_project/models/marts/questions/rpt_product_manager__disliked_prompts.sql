-- feedback of the last 28 days that says whether somebody liked the answer
with

rated as (
    select
        *,
        {{ exact_weight() }} as weight
    from {{ ref('fct_feedback') }}
    where
        evaluated_at >= {{ days_before_as_of(28) }}
        and not is_canary
        and is_positive is not null
        and feature is not null
),

versions as (
    select
        feature,
        environment,
        prompt_name,
        prompt_version,
        count(*) as n_feedbacks,
        count(*) filter (where not is_positive) as n_negative_feedbacks,
        {{ if_enough('count(*)', weighted_ratio('not is_positive', 'true')) }}
            as negative_feedback_ratio
    from rated
    group by feature, environment, prompt_name, prompt_version
),

ranked as (
    select
        *,
        max(negative_feedback_ratio) over (partition by feature, environment) as highest_ratio,
        min(negative_feedback_ratio) over (partition by feature, environment) as lowest_ratio,
        count(negative_feedback_ratio) over (partition by feature, environment)
            as n_compared_versions
    from versions
)

select
    {{ surrogate_key(['feature', 'environment', 'prompt_name', 'prompt_version']) }}
        as question_key,
    feature,
    environment,
    prompt_name,
    prompt_version,
    n_feedbacks,
    n_negative_feedbacks,
    negative_feedback_ratio,
    n_compared_versions,
    case
        when negative_feedback_ratio is null or n_compared_versions < 2
            then 'insufficient_evidence'
        -- of versions that are liked alike none is liked least
        when negative_feedback_ratio = highest_ratio and highest_ratio > lowest_ratio then 'yes'
        else 'no'
    end as answer
from ranked
