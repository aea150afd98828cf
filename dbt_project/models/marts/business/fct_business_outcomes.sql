{{ config(materialized='by_day', meta={'day': 'cast(occurred_at as date)'}) }}

with

outcomes as (
    select
        request_id,
        'escalation' as outcome_type,
        reason_code as outcome_code,
        escalated_at as occurred_at,
        recorded_at,
        cast(null as decimal(18, 9)) as outcome_value_usd
    from {{ ref('stg_facts__escalations') }}
    union all
    select
        request_id,
        'override' as outcome_type,
        override_type as outcome_code,
        overridden_at as occurred_at,
        recorded_at,
        cast(null as decimal(18, 9)) as outcome_value_usd
    from {{ ref('stg_facts__overrides') }}
    union all
    select
        request_id,
        'conversion' as outcome_type,
        cast(null as string) as outcome_code,
        converted_at as occurred_at,
        recorded_at,
        value_usd as outcome_value_usd
    from {{ ref('stg_facts__conversions') }}
),

-- a request may make several calls; its first one says whose outcome this is
requests as (
    select
        request_id,
        call_key,
        feature,
        environment,
        tenant_key,
        called_at
    from {{ ref('int_calls__identified') }}
    where request_id is not null
    qualify row_number() over (
        partition by request_id
        order by called_at asc, call_key asc
    ) = 1
)

select
    {{ surrogate_key(['outcomes.request_id', 'outcomes.outcome_type']) }} as outcome_key,
    outcomes.request_id,
    outcomes.outcome_type,
    outcomes.outcome_code,
    outcomes.occurred_at,
    outcomes.recorded_at,
    outcomes.outcome_value_usd,
    requests.call_key as first_call_key,
    requests.feature,
    requests.environment,
    requests.tenant_key,
    requests.called_at as first_called_at,
    {{ seconds_between('requests.called_at', 'outcomes.recorded_at') }} as recording_delay_s
from outcomes
left join requests on outcomes.request_id = requests.request_id
