-- A step belongs to the nearest agent above it; an agent that another one called is a step of that
-- one and has its own steps. Every span has one parent, so the walk down from the agents ends.
with recursive

spans as (
    select
        trace_id,
        span_id,
        parent_span_id,
        span_type
    from {{ ref('stg_otel__spans') }}
    where
        parent_span_id is not null
        and trace_id in (
            select agents.trace_id
            from {{ ref('stg_otel__spans') }} as agents
            where agents.span_type = 'agent'
        )
),

walked as (
    select
        trace_id,
        span_id as run_span_id,
        span_id,
        span_type,
        0 as step_depth_count
    from {{ ref('stg_otel__spans') }}
    where span_type = 'agent'
    union all
    select
        spans.trace_id,
        walked.run_span_id,
        spans.span_id,
        spans.span_type,
        walked.step_depth_count + 1 as step_depth_count
    from walked
    inner join spans
        on
            walked.trace_id = spans.trace_id
            and walked.span_id = spans.parent_span_id
    -- below another agent only that agent walks on
    where walked.step_depth_count = 0 or walked.span_type <> 'agent'
)

select
    trace_id,
    run_span_id,
    span_id,
    step_depth_count
from walked
where step_depth_count > 0
