-- the last seven days against the 28 before them, across prompt versions: a new version may be why
{% set groups = ['feature', 'environment', 'prompt_name', 'is_recent'] %}

with

calls as (
    select
        *,
        {{ exact_weight() }} as weight,
        called_at >= {{ days_before_as_of(7) }} as is_recent
    from {{ ref('fct_llm_calls') }}
    where
        called_at >= {{ days_before_as_of(35) }}
        and not is_canary
        and input_tokens is not null
),

placed as (
    select
        *,
        {{ quantile_places('input_tokens', groups) }}
    from calls
),

periods as (
    select
        feature,
        environment,
        prompt_name,
        is_recent,
        count(*) as n_calls,
        {{ weighted_quantile('input_tokens', 0.5) }} as input_p50_tokens,
        {{ weighted_quantile('input_tokens', 0.95) }} as input_p95_tokens
    from placed
    group by feature, environment, prompt_name, is_recent
),

compared as (
    select
        feature,
        environment,
        prompt_name,
        cast(coalesce(sum(n_calls) filter (where is_recent), 0) as bigint) as n_calls,
        cast(coalesce(sum(n_calls) filter (where not is_recent), 0) as bigint)
            as n_baseline_calls,
        max(input_p50_tokens) filter (where is_recent) as input_p50_tokens,
        max(input_p50_tokens) filter (where not is_recent) as baseline_input_p50_tokens,
        max(input_p95_tokens) filter (where is_recent) as input_p95_tokens,
        max(input_p95_tokens) filter (where not is_recent) as baseline_input_p95_tokens
    from periods
    group by feature, environment, prompt_name
)

select
    {{ surrogate_key(['feature', 'environment', 'prompt_name']) }} as question_key,
    *,
    {{ answer_of(
        'input_p50_tokens >= 1.2 * baseline_input_p50_tokens and input_p50_tokens > 0',
        ['n_calls', 'n_baseline_calls']
    ) }} as answer
from compared
