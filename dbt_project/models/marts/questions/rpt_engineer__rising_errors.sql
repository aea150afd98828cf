-- the last day against the seven before it, class by class
with

calls as (
    select
        feature,
        environment,
        error_class,
        {{ exact_weight() }} as weight,
        called_at >= {{ days_before_as_of(1) }} as is_recent
    from {{ ref('fct_llm_calls') }}
    where
        called_at >= {{ days_before_as_of(8) }}
        and not is_canary
),

traffic as (
    select
        feature,
        environment,
        count(*) filter (where is_recent) as n_calls,
        count(*) filter (where not is_recent) as n_baseline_calls,
        {{ weighted_count('is_recent') }} as call_count,
        {{ weighted_count('not is_recent') }} as baseline_call_count,
        {{ effective_count('is_recent') }} as effective_count,
        {{ effective_count('not is_recent') }} as baseline_effective_count
    from calls
    group by feature, environment
),

errors as (
    select
        feature,
        environment,
        error_class,
        count(*) filter (where is_recent) as n_errors,
        {{ weighted_count('is_recent') }} as error_count,
        {{ weighted_count('not is_recent') }} as baseline_error_count
    from calls
    where error_class is not null
    group by feature, environment, error_class
),

compared as (
    select
        errors.*,
        traffic.n_calls,
        traffic.n_baseline_calls,
        traffic.effective_count,
        traffic.baseline_effective_count,
        errors.error_count / nullif(traffic.call_count, 0) as error_ratio,
        errors.baseline_error_count / nullif(traffic.baseline_call_count, 0)
            as baseline_error_ratio
    from errors
    inner join traffic
        on
            errors.feature = traffic.feature
            and errors.environment = traffic.environment
),

scored as (
    select
        *,
        {{ ratio_rise_score(
            'error_ratio', 'effective_count', 'baseline_error_ratio', 'baseline_effective_count'
        ) }} as error_rise_score
    from compared
)

select
    {{ surrogate_key(['feature', 'environment', 'error_class']) }} as question_key,
    feature,
    environment,
    error_class,
    n_calls,
    n_baseline_calls,
    n_errors,
    {{ if_enough('n_calls', 'error_ratio') }} as error_ratio,
    {{ if_enough('n_baseline_calls', 'baseline_error_ratio') }} as baseline_error_ratio,
    {{ if_enough('least(n_calls, n_baseline_calls)', 'error_rise_score') }} as error_rise_score,
    {{ answer_of(
        'error_rise_score >= ' ~ var('min_rise_score'), ['n_calls', 'n_baseline_calls']
    ) }} as answer
from scored
