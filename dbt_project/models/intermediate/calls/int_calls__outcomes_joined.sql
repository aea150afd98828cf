-- every joined relation has at most one row per join key, so a call stays one row
with

calls as (
    select * from {{ ref('int_calls__identified') }}
),

escalations as (
    select * from {{ ref('stg_facts__escalations') }}
),

overrides as (
    select * from {{ ref('stg_facts__overrides') }}
),

conversions as (
    select * from {{ ref('stg_facts__conversions') }}
)

select
    calls.call_key,
    -- without a request id no outcome can be joined: unknown, not false
    case when calls.request_id is not null then escalations.request_id is not null end
        as is_escalated,
    escalations.escalated_at,
    escalations.recorded_at as escalation_recorded_at,
    case when calls.request_id is not null then overrides.request_id is not null end
        as is_overridden,
    overrides.overridden_at,
    overrides.recorded_at as override_recorded_at,
    case when calls.request_id is not null then conversions.request_id is not null end
        as is_converted,
    conversions.value_usd as conversion_value_usd
from calls
left join escalations on calls.request_id = escalations.request_id
left join overrides on calls.request_id = overrides.request_id
left join conversions on calls.request_id = conversions.request_id
