-- of several records of one thing the last recorded wins: a record is about its request, without
-- one about its run, and without that about what a conversation had come to at its time
with

delivered as (
    select *
    from {{ read_lake('fact_escalations') }}
    where
        recorded_at < {{ as_of() }}
        and arrived_at < {{ as_of() }}
),

deduplicated as (
    select
        request_id,
        trace_id,
        session_key,
        escalated_at,
        reason_code,
        recorded_at,
        arrived_at
    from delivered
    qualify row_number() over (
        partition by
            request_id,
            case when request_id is null then trace_id end,
            case when request_id is null and trace_id is null then session_key end,
            case when request_id is null and trace_id is null then escalated_at end
        order by
            recorded_at desc,
            arrived_at desc,
            source_object desc,
            escalated_at desc,
            reason_code asc nulls last,
            trace_id asc nulls last,
            session_key asc nulls last
    ) = 1
)

select * from deduplicated
