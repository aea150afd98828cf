-- some instrumentations say only in an event of its own why a call failed; its last one counts
with

calls as (
    select *
    from {{ ref('int_calls__identified') }}
    where is_error
),

events as (
    select *
    from {{ ref('stg_otel__call_events') }}
    where error_class is not null
)

select
    calls.call_key,
    events.error_type,
    events.error_class,
    events.http_status_code
from calls
inner join events
    on
        calls.trace_id = events.trace_id
        and calls.span_id = events.span_id
qualify row_number() over (
    partition by calls.call_key
    order by
        events.recorded_at desc,
        events.source_object desc,
        events.source_offset desc
) = 1
