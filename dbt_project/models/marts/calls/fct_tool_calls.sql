{{ config(materialized='by_day', meta={'day': 'call_date'}) }}

with

tool_calls as (
    select * from {{ ref('stg_otel__tool_calls') }}
),

spans as (
    select * from {{ ref('stg_otel__spans') }}
),

traces as (
    select * from {{ ref('int_traces__identified') }}
),

executed as (
    select distinct
        trace_id,
        tool_call_id
    from tool_calls
    where role = 'executed' and tool_call_id is not null
)

select
    {{ surrogate_key(['tool_calls.trace_id', 'tool_calls.span_id', 'tool_calls.call_index']) }}
        as tool_call_key,
    case
        when spans.is_leaf_model_call
            then {{ surrogate_key(['spans.trace_id', 'spans.span_id']) }}
    end as call_key,
    tool_calls.trace_id,
    tool_calls.span_id,
    spans.feature,
    spans.environment,
    tool_calls.call_index,
    tool_calls.role,
    tool_calls.tool_call_id,
    tool_calls.tool_name,
    tool_calls.tool_type,
    tool_calls.arguments_hash,
    case
        when tool_calls.role = 'requested' and tool_calls.tool_call_id is not null
            then executed.tool_call_id is not null
    end as is_executed,
    tool_calls.is_error,
    case when tool_calls.role = 'executed' then spans.duration_ms end as duration_ms,
    tool_calls.called_at,
    cast(tool_calls.called_at as date) as call_date,
    coalesce(spans.canary_id, traces.canary_id) is not null as is_canary,
    spans.collapsed_span_count,
    spans.collapsed_error_count,
    spans.sample_weight,
    tool_calls.arrived_at
from tool_calls
left join spans
    on
        tool_calls.trace_id = spans.trace_id
        and tool_calls.span_id = spans.span_id
left join traces on tool_calls.trace_id = traces.trace_id
left join executed
    on
        tool_calls.trace_id = executed.trace_id
        and tool_calls.tool_call_id = executed.tool_call_id
