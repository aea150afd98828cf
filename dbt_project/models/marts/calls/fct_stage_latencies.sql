-- Steps of one stage may run beside or inside each other, so their durations do not add up: the
-- busy time is what the union of their intervals covers.
{{ config(materialized='by_day', meta={'day': 'trace_date'}) }}

with

steps as (
    select
        *,
        span_type as stage,
        max(ended_at) over (
            partition by trace_id, span_type
            order by started_at asc, ended_at asc nulls last, span_id asc
            rows between unbounded preceding and 1 preceding
        ) as covered_until_at
    from {{ ref('stg_otel__spans') }}
    -- what wraps other steps does no work of its own
    where span_type not in ('workflow', 'agent', 'task', 'other')
),

measured as (
    select
        *,
        -- microseconds as decimals: their sum does not depend on the order
        cast(
            1000 * greatest({{ seconds_between('uncovered_from_at', 'ended_at') }}, 0)
            as decimal(18, 3)
        ) as new_ms
    from (
        select
            *,
            greatest(started_at, coalesce(covered_until_at, started_at)) as uncovered_from_at
        from steps
    ) as started
),

stages as (
    select
        trace_id,
        stage,
        count(*) as n_spans,
        cast(sum(coalesce(collapsed_span_count, 1)) as bigint) as span_count,
        cast(
            sum(coalesce(collapsed_error_count, case when status = 'error' then 1 else 0 end))
            as bigint
        ) as failed_span_count,
        min(started_at) as stage_started_at,
        cast(
            sum(cast(coalesce(collapsed_duration_sum_ms, duration_ms) as decimal(18, 6)))
            as double
        ) as duration_sum_ms,
        max(duration_ms) as duration_max_ms,
        -- a step without an end, or one that stands for several, hides what it covered
        case
            when count(*) = count(case when collapsed_span_count is null then duration_ms end)
                then cast(sum(new_ms) as double)
        end as busy_ms
    from measured
    group by trace_id, stage
)

select
    {{ surrogate_key(['stages.trace_id', 'stages.stage']) }} as stage_latency_key,
    stages.trace_id,
    stages.stage,
    traces.feature,
    traces.environment,
    traces.tenant_key,
    traces.is_canary,
    stages.stage_started_at,
    cast(traces.trace_started_at as date) as trace_date,
    traces.trace_started_at,
    traces.trace_duration_ms,
    traces.n_model_calls,
    stages.n_spans,
    stages.span_count,
    stages.failed_span_count,
    stages.duration_sum_ms,
    stages.duration_max_ms,
    stages.busy_ms,
    case
        when stages.busy_ms >= traces.trace_duration_ms then cast(1 as double)
        else stages.busy_ms / traces.trace_duration_ms
    end as busy_ratio,
    traces.sample_weight
from stages
inner join {{ ref('int_traces__timed') }} as traces on stages.trace_id = traces.trace_id
where {{ touched_rows('cast(traces.trace_started_at as date)') }}
