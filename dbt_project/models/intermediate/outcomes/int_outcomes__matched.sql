-- of several records that judge one request the last recorded wins
with

-- the ids are those of what was matched, not those that led there
described as (
    select
        recorded.outcome_type,
        found.asked_id,
        found.matched_by,
        case
            when found.asked_id is null then recorded.request_id
            else found.request_id
        end as request_id,
        coalesce(found.trace_id, recorded.trace_id) as trace_id,
        case
            when found.asked_id is null then recorded.session_key
            else found.session_key
        end as session_key,
        found.first_call_key,
        recorded.outcome_code,
        recorded.outcome_value_usd,
        recorded.occurred_at,
        recorded.recorded_at
    from {{ ref('int_outcomes__recorded') }} as recorded
    left join {{ ref('int_outcomes__requests_judged') }} as found
        on recorded.outcome_record_key = found.outcome_record_key
    qualify found.asked_id is null or row_number() over (
        partition by recorded.outcome_type, found.asked_id
        order by
            recorded.recorded_at desc,
            recorded.arrived_at desc,
            case found.matched_by when 'request_id' then 1 when 'run_id' then 2 else 3 end asc,
            recorded.occurred_at desc,
            recorded.outcome_record_key asc
    ) = 1
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
