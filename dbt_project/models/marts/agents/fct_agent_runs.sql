-- what an agent called by another one did counts as its own, and once as the other's step
{{ config(materialized='by_day', meta={'day': 'run_date'}) }}

with

runs as (
    select *
    from {{ ref('stg_otel__spans') }}
    where span_type = 'agent'
),

steps as (
    select
        steps.*,
        coalesce(steps.collapsed_span_count, 1) as span_count,
        steps.input_tokens + steps.output_tokens as used_tokens,
        costs.cost_usd,
        costs.is_leaf,
        case
            when steps.step_type = 'tool' and steps.arguments_hash is not null
                then count(*) over (
                    partition by steps.run_key, steps.tool_name, steps.arguments_hash
                )
        end as same_tool_call_count
    from {{ ref('fct_agent_steps') }} as steps
    left join (
        select
            call_key,
            cost_usd,
            true as is_leaf
        from {{ ref('fct_llm_calls') }}
        where {{ loaded_rows('call_date') }}
    ) as costs on steps.call_key = costs.call_key
    where {{ loaded_rows('cast(steps.started_at as date)') }}
),

summed as (
    select
        run_key,
        sum(span_count) as step_count,
        sum(case when is_leaf then span_count end) as model_call_count,
        sum(case when step_type = 'tool' then span_count end) as tool_call_count,
        sum(case when step_type = 'retrieval' then span_count end) as retrieval_count,
        sum(case when step_type = 'agent' then span_count end) as delegation_count,
        count(*) filter (where step_type = 'tool' and is_error) as n_tool_errors,
        max(same_tool_call_count) as same_tool_call_count,
        case
            when count(is_leaf) = count(case when is_leaf then used_tokens end)
                then sum(case when is_leaf then used_tokens end)
        end as total_tokens,
        case when count(is_leaf) = count(cost_usd) then sum(cost_usd) end as cost_usd
    from steps
    group by run_key
),

parents as (
    select
        trace_id,
        span_id,
        run_span_id
    from {{ ref('int_agents__steps_walked') }}
)

select
    {{ surrogate_key(['runs.trace_id', 'runs.span_id']) }} as run_key,
    case
        when parents.run_span_id is not null
            then {{ surrogate_key(['runs.trace_id', 'parents.run_span_id']) }}
    end as parent_run_key,
    runs.trace_id,
    runs.span_id,
    runs.agent_name,
    runs.feature,
    runs.environment,
    coalesce(runs.tenant_key, traces.tenant_key) as tenant_key,
    coalesce(runs.session_key, traces.session_key) as session_key,
    coalesce(runs.canary_id, traces.canary_id) is not null as is_canary,
    runs.started_at,
    cast(runs.started_at as date) as run_date,
    runs.duration_ms,
    runs.status = 'error' as is_error,
    cast(coalesce(summed.step_count, 0) as bigint) as step_count,
    cast(coalesce(summed.model_call_count, 0) as bigint) as model_call_count,
    cast(coalesce(summed.tool_call_count, 0) as bigint) as tool_call_count,
    cast(coalesce(summed.retrieval_count, 0) as bigint) as retrieval_count,
    cast(coalesce(summed.delegation_count, 0) as bigint) as delegation_count,
    cast(coalesce(summed.n_tool_errors, 0) as bigint) as n_tool_errors,
    cast(summed.same_tool_call_count as bigint) as same_tool_call_count,
    cast(summed.total_tokens as bigint) as total_tokens,
    cast(summed.cost_usd as decimal(18, 9)) as cost_usd,
    runs.collapsed_span_count,
    runs.sample_weight
from runs
inner join {{ ref('int_traces__identified') }} as traces on runs.trace_id = traces.trace_id
left join summed
    on {{ surrogate_key(['runs.trace_id', 'runs.span_id']) }} = summed.run_key
left join parents
    on
        runs.trace_id = parents.trace_id
        and runs.span_id = parents.span_id
