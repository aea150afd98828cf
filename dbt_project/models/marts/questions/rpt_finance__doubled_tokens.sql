-- a turn is a request: the last day against the seven before it; medians, or one huge turn would do
{% set groups = ['feature', 'environment', 'tenant_key', 'is_recent'] %}

with

turns as (
    select
        *,
        {{ exact_weight() }} as weight,
        first_called_at >= {{ days_before_as_of(1) }} as is_recent
    from {{ ref('fct_requests') }}
    where
        first_called_at >= {{ days_before_as_of(8) }}
        and not is_canary
        and tenant_key is not null
        and total_tokens is not null
),

placed as (
    select
        *,
        {{ quantile_places('total_tokens', groups) }}
    from turns
),

periods as (
    select
        feature,
        environment,
        tenant_key,
        is_recent,
        count(*) as n_turns,
        {{ weighted_quantile('total_tokens', 0.5) }} as turn_p50_tokens
    from placed
    group by feature, environment, tenant_key, is_recent
),

compared as (
    select
        feature,
        environment,
        tenant_key,
        cast(coalesce(sum(n_turns) filter (where is_recent), 0) as bigint) as n_turns,
        cast(coalesce(sum(n_turns) filter (where not is_recent), 0) as bigint)
            as n_baseline_turns,
        max(turn_p50_tokens) filter (where is_recent) as turn_p50_tokens,
        max(turn_p50_tokens) filter (where not is_recent) as baseline_turn_p50_tokens
    from periods
    group by feature, environment, tenant_key
)

select
    {{ surrogate_key(['feature', 'environment', 'tenant_key']) }} as question_key,
    *,
    -- twice nothing is nothing
    {{ answer_of(
        'turn_p50_tokens >= 2 * baseline_turn_p50_tokens and turn_p50_tokens > 0',
        ['n_turns', 'n_baseline_turns']
    ) }} as answer
from compared
