-- Calls of the last 28 days: the fewest tenants that together make half of the priced cost. With
-- more than a tenth of the calls unpriced nobody can tell.
with

calls as (
    select
        *,
        {{ exact_weight() }} as weight
    from {{ ref('fct_llm_calls') }}
    where
        called_at >= {{ days_before_as_of(28) }}
        and not is_canary
),

tenants as (
    select
        environment,
        tenant_key,
        count(*) as n_calls,
        count(*) filter (where cost_usd is null) as n_unpriced_calls,
        cast(sum(cost_usd * weight) as decimal(18, 9)) as cost_usd
    from calls
    group by environment, tenant_key
),

summed as (
    select
        *,
        sum(n_calls) over (partition by environment) as n_all_calls,
        sum(n_unpriced_calls) over (partition by environment) as n_all_unpriced_calls,
        cast(sum(cost_usd) over (partition by environment) as double) as all_cost_usd,
        cast(
            sum(coalesce(cost_usd, 0)) over (
                partition by environment
                order by cost_usd desc nulls last, tenant_key asc nulls last
                rows between unbounded preceding and current row
            ) - coalesce(cost_usd, 0) as double
        ) as larger_cost_usd
    from tenants
),

judged as (
    select
        *,
        {{ is_enough('n_all_calls') }} and 10 * n_all_unpriced_calls <= n_all_calls as is_known
    from summed
)

select
    {{ surrogate_key(['environment', 'tenant_key']) }} as question_key,
    environment,
    tenant_key,
    n_calls,
    n_unpriced_calls,
    cost_usd,
    case when is_known then cast(cost_usd as double) / nullif(all_cost_usd, 0) end
        as cost_share_ratio,
    case
        when not is_known then 'insufficient_evidence'
        when cost_usd > 0 and larger_cost_usd < 0.5 * all_cost_usd then 'yes'
        else 'no'
    end as answer
from judged
