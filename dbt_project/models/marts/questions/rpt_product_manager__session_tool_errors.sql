-- Sessions of the last seven days, each weighed by the heaviest thing in it. A session is one of
-- every feature that it asked or used a tool of, so that no tool's error is lost with a trace
-- whose request began elsewhere. Where no tool was seen at all nobody knows whether there was none
-- or none was reported.
with

seen as (
    select
        session_key,
        feature,
        environment,
        sample_weight,
        false as is_tool,
        false as is_tool_error
    from {{ ref('fct_requests') }}
    where first_called_at >= {{ days_before_as_of(7) }} and not is_canary
    union all
    select
        traces.session_key,
        traces.feature,
        traces.environment,
        tools.sample_weight,
        true as is_tool,
        tools.is_error or tools.collapsed_error_count > 0 as is_tool_error
    from {{ ref('fct_tool_calls') }} as tools
    inner join {{ ref('int_traces__timed') }} as traces on tools.trace_id = traces.trace_id
    where
        tools.role = 'executed'
        and tools.called_at >= {{ days_before_as_of(7) }}
        and not tools.is_canary
),

sessions as (
    select
        session_key,
        feature,
        environment,
        max({{ exact_weight() }}) as weight,
        max(case when is_tool then 1 else 0 end) = 1 as has_tool_call,
        max(case when is_tool_error then 1 else 0 end) = 1 as has_tool_error
    from seen
    where session_key is not null
    group by session_key, feature, environment
),

counted as (
    select
        feature,
        environment,
        count(*) as n_sessions,
        count(*) filter (where has_tool_call) as n_tool_sessions,
        count(*) filter (where has_tool_error) as n_tool_error_sessions,
        {{ weighted_ratio('has_tool_error', 'true') }} as tool_error_session_ratio,
        {{ weighted_ratio('has_tool_error', 'has_tool_call') }} as tool_error_tool_session_ratio
    from sessions
    group by feature, environment
)

select
    {{ surrogate_key(['feature', 'environment']) }} as question_key,
    feature,
    environment,
    n_sessions,
    n_tool_sessions,
    n_tool_error_sessions,
    case
        when n_tool_sessions > 0
            then {{ if_enough('n_sessions', 'tool_error_session_ratio') }}
    end as tool_error_session_ratio,
    {{ if_enough('n_tool_sessions', 'tool_error_tool_session_ratio') }}
        as tool_error_tool_session_ratio,
    case
        when n_tool_sessions > 0 and {{ is_enough('n_sessions') }} then 'answered'
        else 'insufficient_evidence'
    end as answer
from counted
