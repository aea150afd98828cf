-- runs of the last seven days; a loop calls one tool three times or more with the same arguments
with

runs as (
    select
        *,
        {{ exact_weight() }} as weight,
        case
            when same_tool_call_count is not null then same_tool_call_count >= 3
            when tool_call_count = 0 then false
        end as is_loop
    from {{ ref('fct_agent_runs') }}
    where
        started_at >= {{ days_before_as_of(7) }}
        and not is_canary
),

counted as (
    select
        feature,
        environment,
        agent_name,
        count(*) as n_runs,
        count(is_loop) as n_judged_runs,
        count(*) filter (where is_loop) as n_looping_runs,
        {{ weighted_ratio('is_loop', 'is_loop is not null') }} as looping_run_ratio,
        {{ weighted_mean('step_count') }} as step_mean_count,
        max(step_count) as step_max_count
    from runs
    group by feature, environment, agent_name
)

select
    {{ surrogate_key(['feature', 'environment', 'agent_name']) }} as question_key,
    feature,
    environment,
    agent_name,
    n_runs,
    n_judged_runs,
    n_looping_runs,
    {{ if_enough('n_judged_runs', 'looping_run_ratio') }} as looping_run_ratio,
    step_mean_count,
    step_max_count,
    {{ answer_of('looping_run_ratio >= 0.05', ['n_judged_runs']) }} as answer
from counted
