-- The last seven days against the 28 before them. A source that reports cache reads often leaves
-- out the zeros, so a call without a report is no hit, unless the model never reports any. What a
-- gateway repeated never reached the provider's cache.
with

calls as (
    select
        *,
        {{ exact_weight() }} as weight,
        least(coalesce(cache_read_tokens, 0), input_tokens) as hit_tokens,
        called_at >= {{ days_before_as_of(7) }} as is_recent
    from {{ ref('fct_llm_calls') }}
    where
        called_at >= {{ days_before_as_of(35) }}
        and not is_canary
        and input_tokens is not null
        and not coalesce(is_gateway_cache_hit, false)
),

compared as (
    select
        feature,
        environment,
        request_model,
        count(*) filter (where is_recent) as n_calls,
        count(*) filter (where not is_recent) as n_baseline_calls,
        count(cache_read_tokens) as n_cache_reads,
        cast(sum(hit_tokens * weight) filter (where is_recent) as double)
        / nullif(cast(sum(input_tokens * weight) filter (where is_recent) as double), 0)
            as cache_hit_ratio,
        cast(sum(hit_tokens * weight) filter (where not is_recent) as double)
        / nullif(cast(sum(input_tokens * weight) filter (where not is_recent) as double), 0)
            as baseline_cache_hit_ratio
    from calls
    group by feature, environment, request_model
)

select
    {{ surrogate_key(['feature', 'environment', 'request_model']) }} as question_key,
    feature,
    environment,
    request_model,
    n_calls,
    n_baseline_calls,
    n_cache_reads,
    case when n_cache_reads > 0 then {{ if_enough('n_calls', 'cache_hit_ratio') }} end
        as cache_hit_ratio,
    case
        when n_cache_reads > 0
            then {{ if_enough('n_baseline_calls', 'baseline_cache_hit_ratio') }}
    end as baseline_cache_hit_ratio,
    case
        when n_cache_reads = 0 then 'insufficient_evidence'
        else {{ answer_of(
            'cache_hit_ratio < 0.5 * baseline_cache_hit_ratio', ['n_calls', 'n_baseline_calls']
        ) }}
    end as answer
from compared
