-- Client and server tell of the same request by its id. A request without a trace is a mismatch
-- only when the trace has had time to come: until then nobody knows.
{{ config(materialized='by_day', meta={'day': 'observed_date'}) }}

with

reports as (
    select
        *,
        client_outcome not in ('ok', 'cancelled') as is_client_failure
    from {{ ref('stg_facts__client_outcomes') }}
),

requests as (
    select * from {{ ref('fct_requests') }}
    where request_id is not null and {{ loaded_rows('request_date') }}
),

last_calls as (
    select *
    from {{ ref('fct_llm_calls') }}
    where request_id is not null and {{ loaded_rows('call_date') }}
    qualify row_number() over (
        partition by request_id
        order by called_at desc, call_key desc
    ) = 1
),

aligned as (
    select
        reports.request_id,
        requests.request_key,
        requests.trace_id,
        requests.feature,
        requests.environment,
        reports.client_outcome,
        reports.is_client_failure,
        requests.is_error as is_server_failure,
        last_calls.error_class as server_error_class,
        reports.client_duration_ms,
        requests.duration_ms as server_duration_ms,
        reports.client_duration_ms - requests.duration_ms as unseen_ms,
        requests.sample_weight,
        reports.observed_at,
        cast(reports.observed_at as date) as observed_date,
        reports.recorded_at,
        case
            when requests.request_key is null and reports.observed_at >= {{ days_before_as_of(1) }}
                then 'pending'
            when requests.request_key is null then 'no_trace'
            when reports.is_client_failure = requests.is_error then 'agrees'
            when reports.is_client_failure then 'only_client_failed'
            else 'only_server_failed'
        end as alignment
    from reports
    left join requests on reports.request_id = requests.request_id
    left join last_calls on reports.request_id = last_calls.request_id
)

select
    *,
    -- a person who goes away before an error comes has seen neither outcome
    case
        when alignment = 'pending' then null
        when alignment = 'only_server_failed' and client_outcome = 'cancelled' then false
        else alignment <> 'agrees'
    end as is_mismatch
from aligned
