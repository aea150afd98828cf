-- An outcome judges the request it names, else those of the run it names, else the last one that
-- its conversation had begun before it: later requests of the conversation are not judged.
with

outcomes as (
    select * from {{ ref('int_outcomes__recorded') }}
),

requests as (
    select * from {{ ref('int_requests__started') }}
),

runs as (
    select distinct
        calls.trace_id,
        {{ asked_id('calls') }} as asked_id
    from {{ ref('int_calls__identified') }} as calls
    where calls.trace_id in (select outcomes.trace_id from outcomes)
),

named as (
    select
        outcomes.outcome_record_key,
        requests.asked_id,
        'request_id' as matched_by,
        1 as match_rank
    from outcomes
    inner join requests on outcomes.request_id = requests.request_id
    union all
    select
        outcomes.outcome_record_key,
        runs.asked_id,
        'run_id' as matched_by,
        2 as match_rank
    from outcomes
    inner join runs on outcomes.trace_id = runs.trace_id
),

last_begun as (
    select
        outcomes.outcome_record_key,
        requests.asked_id,
        'conversation_id' as matched_by,
        3 as match_rank
    from outcomes
    inner join requests
        on
            outcomes.session_key = requests.session_key
            and outcomes.occurred_at > requests.called_at
    qualify row_number() over (
        partition by outcomes.outcome_record_key
        order by requests.called_at desc, requests.call_key desc
    ) = 1
),

found as (
    select * from named
    union all
    select * from last_begun
),

-- a run may have several requests: rank, not row_number
best as (
    select *
    from found
    qualify rank() over (
        partition by outcome_record_key
        order by match_rank asc
    ) = 1
)

select
    best.outcome_record_key,
    best.asked_id,
    best.matched_by,
    requests.request_id,
    requests.trace_id,
    requests.session_key,
    requests.call_key as first_call_key
from best
inner join requests on best.asked_id = requests.asked_id
