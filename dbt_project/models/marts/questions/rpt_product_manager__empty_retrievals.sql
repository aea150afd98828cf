-- settled requests of the last 28 days that retrieved: those that found nothing against the others
with

settled as (
    select
        *,
        {{ exact_weight() }} as weight
    from {{ ref('fct_requests') }}
    where
        first_called_at >= {{ days_before_as_of(28) }}
        and is_settled
        and is_escalated is not null
        and is_retrieval_empty is not null
        and not is_canary
),

compared as (
    select
        feature,
        environment,
        count(*) filter (where is_retrieval_empty) as n_empty_retrievals,
        count(*) filter (where not is_retrieval_empty) as n_filled_retrievals,
        {{ weighted_ratio('is_retrieval_empty', 'true') }} as empty_retrieval_ratio,
        {{ weighted_ratio('is_escalated', 'is_retrieval_empty') }} as empty_escalated_ratio,
        {{ weighted_ratio('is_escalated', 'not is_retrieval_empty') }} as filled_escalated_ratio,
        {{ effective_count('is_retrieval_empty') }} as empty_effective_count,
        {{ effective_count('not is_retrieval_empty') }} as filled_effective_count
    from settled
    group by feature, environment
),

scored as (
    select
        *,
        {{ ratio_rise_score(
            'empty_escalated_ratio', 'empty_effective_count',
            'filled_escalated_ratio', 'filled_effective_count'
        ) }} as escalated_rise_score
    from compared
)

select
    {{ surrogate_key(['feature', 'environment']) }} as question_key,
    feature,
    environment,
    n_empty_retrievals,
    n_filled_retrievals,
    {{ if_enough('n_empty_retrievals + n_filled_retrievals', 'empty_retrieval_ratio') }}
        as empty_retrieval_ratio,
    {{ if_enough('n_empty_retrievals', 'empty_escalated_ratio') }} as empty_escalated_ratio,
    {{ if_enough('n_filled_retrievals', 'filled_escalated_ratio') }} as filled_escalated_ratio,
    {{ if_enough('least(n_empty_retrievals, n_filled_retrievals)', 'escalated_rise_score') }}
        as escalated_rise_score,
    {{ answer_of(
        'escalated_rise_score >= ' ~ var('min_rise_score'),
        ['n_empty_retrievals', 'n_filled_retrievals']
    ) }} as answer
from scored
