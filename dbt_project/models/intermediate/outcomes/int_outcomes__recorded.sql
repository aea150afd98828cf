with

escalations as (
    select
        'escalation' as outcome_type,
        request_id,
        trace_id,
        session_key,
        escalated_at as occurred_at,
        recorded_at,
        arrived_at,
        reason_code as outcome_code,
        cast(null as decimal(18, 9)) as outcome_value_usd
    from {{ ref('stg_facts__escalations') }}
),

overrides as (
    select
        'override' as outcome_type,
        request_id,
        trace_id,
        session_key,
        overridden_at as occurred_at,
        recorded_at,
        arrived_at,
        override_type as outcome_code,
        cast(null as decimal(18, 9)) as outcome_value_usd
    from {{ ref('stg_facts__overrides') }}
),

conversions as (
    select
        'conversion' as outcome_type,
        request_id,
        trace_id,
        session_key,
        converted_at as occurred_at,
        recorded_at,
        arrived_at,
        cast(null as string) as outcome_code,
        value_usd as outcome_value_usd
    from {{ ref('stg_facts__conversions') }}
),

recorded as (
    select * from escalations
    union all
    select * from overrides
    union all
    select * from conversions
)

select
    {{ surrogate_key([
        'outcome_type', 'request_id', 'trace_id', 'session_key', 'occurred_at'
    ]) }} as outcome_record_key,
    *
from recorded
