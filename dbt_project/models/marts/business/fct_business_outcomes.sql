{{ config(materialized='by_day', meta={'day': 'cast(occurred_at as date)'}) }}

with

outcomes as (
    select * from {{ ref('int_outcomes__matched') }}
),

calls as (
    select * from {{ ref('int_calls__identified') }}
)

select
    outcomes.outcome_key,
    outcomes.request_id,
    outcomes.trace_id,
    outcomes.session_key,
    outcomes.matched_by,
    outcomes.outcome_type,
    outcomes.outcome_code,
    outcomes.occurred_at,
    outcomes.recorded_at,
    outcomes.outcome_value_usd,
    outcomes.first_call_key,
    calls.feature,
    calls.environment,
    calls.tenant_key,
    calls.called_at as first_called_at,
    {{ seconds_between('calls.called_at', 'outcomes.recorded_at') }} as recording_delay_s
from outcomes
left join calls on outcomes.first_call_key = calls.call_key
