with

calls as (
    select
        tenant_key,
        cast(sum(n_calls) as bigint) as n_calls,
        cast(sum(call_weight) as double) as call_count,
        min(first_called_at) as first_called_at,
        max(last_called_at) as last_called_at
    from {{ ref('int_daily__tenants_counted') }}
    group by tenant_key
),

tiers as (
    select
        tenant_key,
        tier,
        valid_from_at
    from {{ ref('int_tenants__tier_periods_built') }}
    where
        valid_from_at < {{ as_of() }}
        and (valid_to_at >= {{ as_of() }} or valid_to_at is null)
),

tenants as (
    select tenant_key from calls
    union
    select tenant_key from tiers
)

select
    tenants.tenant_key,
    tiers.tier as tenant_tier,
    tiers.valid_from_at as tier_valid_from_at,
    coalesce(calls.n_calls, 0) as n_calls,
    coalesce(calls.call_count, 0) as call_count,
    calls.first_called_at,
    calls.last_called_at
from tenants
left join calls on tenants.tenant_key = calls.tenant_key
left join tiers on tenants.tenant_key = tiers.tenant_key
