-- the last seven days against the 28 before them
with

calls as (
    select
        *,
        {{ exact_weight() }} as weight,
        called_at >= {{ days_before_as_of(7) }} as is_recent,
        finish_reason = 'length' as is_cut_off
    from {{ ref('fct_llm_calls') }}
    where
        called_at >= {{ days_before_as_of(35) }}
        and not is_canary
        and finish_reason is not null
),

compared as (
    select
        feature,
        environment,
        request_model,
        count(*) filter (where is_recent) as n_calls,
        count(*) filter (where not is_recent) as n_baseline_calls,
        {{ weighted_ratio('is_cut_off', 'is_recent') }} as cut_off_ratio,
        {{ weighted_ratio('is_cut_off', 'not is_recent') }} as baseline_cut_off_ratio,
        {{ effective_count('is_recent') }} as effective_count,
        {{ effective_count('not is_recent') }} as baseline_effective_count
    from calls
    group by feature, environment, request_model
),

scored as (
    select
        *,
        {{ ratio_rise_score(
            'cut_off_ratio', 'effective_count', 'baseline_cut_off_ratio', 'baseline_effective_count'
        ) }} as cut_off_rise_score
    from compared
)

select
    {{ surrogate_key(['feature', 'environment', 'request_model']) }} as question_key,
    feature,
    environment,
    request_model,
    n_calls,
    n_baseline_calls,
    {{ if_enough('n_calls', 'cut_off_ratio') }} as cut_off_ratio,
    {{ if_enough('n_baseline_calls', 'baseline_cut_off_ratio') }} as baseline_cut_off_ratio,
    {{ if_enough('least(n_calls, n_baseline_calls)', 'cut_off_rise_score') }} as cut_off_rise_score,
    {{ answer_of(
        'cut_off_rise_score >= ' ~ var('min_rise_score'), ['n_calls', 'n_baseline_calls']
    ) }} as answer
from scored
