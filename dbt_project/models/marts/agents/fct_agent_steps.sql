{{ config(materialized='by_day', meta={'day': 'cast(started_at as date)'}) }}

with

steps as (
    select
        walked.run_span_id,
        walked.step_depth_count,
        spans.*
    from {{ ref('int_agents__steps_walked') }} as walked
    inner join {{ ref('stg_otel__spans') }} as spans
        on
            walked.trace_id = spans.trace_id
            and walked.span_id = spans.span_id
    -- plain spans and other wrappers lead to a step and are none
    where spans.span_type not in ('other', 'task', 'workflow')
),

executed as (
    select
        trace_id,
        span_id,
        tool_name,
        arguments_hash,
        is_error
    from {{ ref('stg_otel__tool_calls') }}
    where role = 'executed'
    qualify row_number() over (
        partition by trace_id, span_id
        order by call_index asc
    ) = 1
)

select
    {{ surrogate_key(['steps.trace_id', 'steps.span_id']) }} as step_key,
    {{ surrogate_key(['steps.trace_id', 'steps.run_span_id']) }} as run_key,
    case
        when steps.is_leaf_model_call
            then {{ surrogate_key(['steps.trace_id', 'steps.span_id']) }}
    end as call_key,
    steps.trace_id,
    steps.span_id,
    cast(
        row_number() over (
            partition by steps.trace_id, steps.run_span_id
            order by steps.started_at asc, steps.span_id asc
        ) as int
    ) as step_index,
    cast(steps.step_depth_count as int) as step_depth_count,
    steps.span_type as step_type,
    coalesce(steps.tool_name, executed.tool_name) as tool_name,
    executed.arguments_hash,
    steps.agent_name,
    steps.started_at,
    steps.duration_ms,
    steps.status = 'error'
    or coalesce(executed.is_error, false)
    or coalesce(steps.collapsed_error_count, 0) > 0 as is_error,
    steps.collapsed_span_count,
    steps.input_tokens,
    steps.output_tokens,
    steps.sample_weight
from steps
left join executed
    on
        steps.trace_id = executed.trace_id
        and steps.span_id = executed.span_id
