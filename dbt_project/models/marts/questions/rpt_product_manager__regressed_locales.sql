-- the last seven days against the 28 before them
{% set groups = ['feature', 'environment', 'locale', 'is_recent'] %}

with

requests as (
    select
        *,
        {{ exact_weight() }} as weight,
        first_called_at >= {{ days_before_as_of(7) }} as is_recent
    from {{ ref('fct_requests') }}
    where
        first_called_at >= {{ days_before_as_of(35) }}
        and not is_canary
        and locale is not null
),

placed as (
    select
        *,
        {{ quantile_places('duration_ms', groups) }}
    from requests
),

periods as (
    select
        feature,
        environment,
        locale,
        is_recent,
        count(*) as n_requests,
        count(duration_ms) as n_durations,
        {{ weighted_ratio('is_bad_answer', 'true') }} as bad_answer_ratio,
        {{ effective_count('true') }} as effective_count,
        {{ weighted_quantile('duration_ms', 0.5) }} as duration_p50_ms
    from placed
    group by feature, environment, locale, is_recent
),

compared as (
    select
        feature,
        environment,
        locale,
        coalesce(sum(n_requests) filter (where is_recent), 0) as n_requests,
        coalesce(sum(n_requests) filter (where not is_recent), 0) as n_baseline_requests,
        coalesce(sum(n_durations) filter (where is_recent), 0) as n_durations,
        coalesce(sum(n_durations) filter (where not is_recent), 0) as n_baseline_durations,
        max(bad_answer_ratio) filter (where is_recent) as bad_answer_ratio,
        max(bad_answer_ratio) filter (where not is_recent) as baseline_bad_answer_ratio,
        max(effective_count) filter (where is_recent) as effective_count,
        max(effective_count) filter (where not is_recent) as baseline_effective_count,
        max(duration_p50_ms) filter (where is_recent) as duration_p50_ms,
        max(duration_p50_ms) filter (where not is_recent) as baseline_duration_p50_ms
    from periods
    group by feature, environment, locale
),

scored as (
    select
        *,
        {{ ratio_rise_score(
            'bad_answer_ratio', 'effective_count',
            'baseline_bad_answer_ratio', 'baseline_effective_count'
        ) }} as bad_answer_rise_score
    from compared
)

select
    {{ surrogate_key(['feature', 'environment', 'locale']) }} as question_key,
    feature,
    environment,
    locale,
    cast(n_requests as bigint) as n_requests,
    cast(n_baseline_requests as bigint) as n_baseline_requests,
    {{ if_enough('n_requests', 'bad_answer_ratio') }} as bad_answer_ratio,
    {{ if_enough('n_baseline_requests', 'baseline_bad_answer_ratio') }}
        as baseline_bad_answer_ratio,
    {{ if_enough('least(n_requests, n_baseline_requests)', 'bad_answer_rise_score') }}
        as bad_answer_rise_score,
    cast(n_durations as bigint) as n_durations,
    cast(n_baseline_durations as bigint) as n_baseline_durations,
    duration_p50_ms,
    baseline_duration_p50_ms,
    -- worse answers are enough for a yes; a no needs the durations too
    case
        when {{ answer_of('bad_answer_rise_score >= ' ~ var('min_rise_score'), [
            'n_requests', 'n_baseline_requests'
        ]) }} = 'yes'
            then 'yes'
        else {{ answer_of(
            'duration_p50_ms >= 1.25 * baseline_duration_p50_ms and duration_p50_ms > 0',
            ['n_durations', 'n_baseline_durations']
        ) }}
    end as answer
from scored
