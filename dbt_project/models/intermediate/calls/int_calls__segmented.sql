-- tier and experiment bucket as they were when the call was made
with

calls as (
    select * from {{ ref('int_calls__identified') }}
),

tiers as (
    select * from {{ ref('int_tenants__tier_periods_built') }}
),

buckets as (
    select * from {{ ref('int_users__bucket_periods_built') }}
)

select
    calls.call_key,
    tiers.tier as tenant_tier,
    buckets.experiment_name,
    buckets.bucket_name as experiment_bucket_name
from calls
left join tiers
    on
        calls.tenant_key = tiers.tenant_key
        and calls.called_at >= tiers.valid_from_at
        and (calls.called_at < tiers.valid_to_at or tiers.valid_to_at is null)
left join buckets
    on
        calls.user_key = buckets.user_key
        and calls.called_at >= buckets.valid_from_at
        and (calls.called_at < buckets.valid_to_at or buckets.valid_to_at is null)
