-- a tier holds from its start until the tenant's next one, so periods never overlap
select
    tenant_key,
    tier,
    valid_from_at,
    lead(valid_from_at) over (
        partition by tenant_key
        order by valid_from_at asc
    ) as valid_to_at
from {{ ref('stg_facts__subscription_tiers') }}
