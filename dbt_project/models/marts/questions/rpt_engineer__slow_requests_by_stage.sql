-- slow: at or above the weighted 95th percentile of the feature's traces of the week
{% set groups = ['feature', 'environment'] %}

with

recent as (
    select
        *,
        {{ exact_weight() }} as weight
    from {{ ref('int_traces__timed') }}
    where
        trace_started_at >= {{ days_before_as_of(7) }}
        and not is_canary
        and n_model_calls > 0
        and trace_duration_ms is not null
),

placed as (
    select
        *,
        {{ quantile_places('trace_duration_ms', groups) }}
    from recent
),

limits as (
    select
        feature,
        environment,
        {{ weighted_quantile('trace_duration_ms', 0.95) }} as slow_from_ms
    from placed
    group by feature, environment
),

slow as (
    select
        recent.*,
        limits.slow_from_ms
    from recent
    inner join limits
        on
            recent.feature = limits.feature
            and recent.environment = limits.environment
    where recent.trace_duration_ms >= limits.slow_from_ms
),

latencies as (
    select * from {{ ref('fct_stage_latencies') }}
    where trace_started_at >= {{ days_before_as_of(7) }}
),

-- a slow request without a retrieval spent no time in one
crossed as (
    select
        slow.*,
        stages.stage,
        case when latencies.stage is null then cast(0 as double) else latencies.busy_ratio end
            as busy_ratio
    from slow
    inner join (
        select distinct
            feature,
            environment,
            stage
        from latencies
    ) as stages
        on
            slow.feature = stages.feature
            and slow.environment = stages.environment
    left join latencies
        on
            slow.trace_id = latencies.trace_id
            and stages.stage = latencies.stage
)

select
    {{ surrogate_key(['feature', 'environment', 'stage']) }} as question_key,
    feature,
    environment,
    stage,
    max(slow_from_ms) as slow_from_ms,
    count(*) as n_slow_requests,
    count(busy_ratio) as n_busy_ratios,
    {{ if_enough(
        'count(busy_ratio)', weighted_ratio('busy_ratio > 0.5', 'busy_ratio is not null')
    ) }} as dominated_ratio,
    case when {{ is_enough('count(busy_ratio)') }} then 'answered' else 'insufficient_evidence' end
        as answer
from crossed
group by feature, environment, stage
