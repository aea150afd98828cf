-- of several records that judge one request the last recorded wins
with

records as (
    select
        recorded.*,
        found.asked_id,
        found.matched_by
    from {{ ref('int_outcomes__recorded') }} as recorded
    left join {{ ref('int_outcomes__requests_judged') }} as found
        on recorded.outcome_record_key = found.outcome_record_key
    qualify found.asked_id is null or row_number() over (
        partition by recorded.outcome_type, found.asked_id
        order by
            recorded.recorded_at desc,
            recorded.arrived_at desc,
            found.match_rank asc,
            recorded.occurred_at desc,
            recorded.outcome_record_key asc
    ) = 1
),

-- the ids of what was matched, not those that led there
described as (
    select
        records.outcome_type,
        records.asked_id,
        records.matched_by,
        case
            when records.asked_id is null then records.request_id
            else requests.request_id
        end as request_id,
        coalesce(requests.trace_id, records.trace_id) as trace_id,
        case
            when records.asked_id is null then records.session_key
            else requests.session_key
        end as session_key,
        requests.call_key as first_call_key,
        records.outcome_code,
        records.outcome_value_usd,
        records.occurred_at,
        records.recorded_at
    from records
    left join {{ ref('int_requests__started') }} as requests
        on records.asked_id = requests.asked_id
),

-- what is unmatched is still about one thing: its request, its run, or its conversation by then;
-- an id may be lost to redaction
keyed as (
    select
        *,
        coalesce(
            request_id,
            'run ' || coalesce(asked_id, trace_id),
            coalesce('conversation ' || session_key, 'nothing')
            || ' ' || {{ key_text('occurred_at') }}
        ) as about
    from described
)

select
    {{ surrogate_key(['about', 'outcome_type']) }} as outcome_key,
    outcome_type,
    asked_id,
    matched_by,
    request_id,
    trace_id,
    session_key,
    first_call_key,
    outcome_code,
    outcome_value_usd,
    occurred_at,
    recorded_at
from keyed
