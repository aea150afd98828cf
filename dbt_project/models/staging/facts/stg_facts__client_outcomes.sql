-- of several records of one request, the last recorded wins
with

delivered as (
    select *
    from {{ read_lake('fact_client_outcomes') }}
    where
        recorded_at < {{ as_of() }}
        and arrived_at < {{ as_of() }}
),

deduplicated as (
    select
        request_id,
        observed_at,
        lower(trim(client_outcome)) as client_outcome,
        client_duration_ms,
        recorded_at,
        arrived_at
    from delivered
    qualify row_number() over (
        partition by request_id
        order by
            recorded_at desc,
            arrived_at desc,
            source_object desc,
            observed_at desc,
            client_outcome asc,
            client_duration_ms asc nulls last
    ) = 1
)

select * from deduplicated
