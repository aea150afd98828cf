-- of several records of one request, the last recorded wins
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
        escalated_at,
        reason_code,
        recorded_at,
        arrived_at
    from delivered
    qualify row_number() over (
        partition by request_id
        order by
            recorded_at desc,
            arrived_at desc,
            source_object desc,
            escalated_at desc,
            reason_code asc nulls last
    ) = 1
)

select * from deduplicated
