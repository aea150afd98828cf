-- every joined relation has at most one row per join key, so a call stays one row
with

calls as (
    select
        call_key,
        trace_id,
        request_id,
        session_key,
        {{ asked_id('calls') }} as asked_id
    from {{ ref('int_calls__identified') }} as calls
),

outcomes as (
    select * from {{ ref('int_outcomes__matched') }}
    where asked_id is not null
),

escalations as (
    select * from outcomes
    where outcome_type = 'escalation'
),

overrides as (
    select * from outcomes
    where outcome_type = 'override'
),

conversions as (
    select * from outcomes
    where outcome_type = 'conversion'
)

select
    calls.call_key,
    -- where a record would not have named the call, no record says nothing: unknown, not false
    case
        when escalations.asked_id is not null then true
        when {{ would_be_recorded('escalations', 'calls') }} then false
    end as is_escalated,
    escalations.occurred_at as escalated_at,
    escalations.recorded_at as escalation_recorded_at,
    case
        when overrides.asked_id is not null then true
        when {{ would_be_recorded('overrides', 'calls') }} then false
    end as is_overridden,
    overrides.occurred_at as overridden_at,
    overrides.recorded_at as override_recorded_at,
    case
        when conversions.asked_id is not null then true
        when {{ would_be_recorded('conversions', 'calls') }} then false
    end as is_converted,
    conversions.outcome_value_usd as conversion_value_usd
from calls
left join escalations on calls.asked_id = escalations.asked_id
left join overrides on calls.asked_id = overrides.asked_id
left join conversions on calls.asked_id = conversions.asked_id
