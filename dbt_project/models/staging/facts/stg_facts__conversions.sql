-- of several records of one request, the last recorded wins
with

delivered as (
    select *
    from {{ read_lake('fact_conversions') }}
    where
        recorded_at < {{ as_of() }}
        and arrived_at < {{ as_of() }}
),

deduplicated as (
    select
        request_id,
        converted_at,
        cast(value_usd as decimal(18, 9)) as value_usd,
        recorded_at,
        arrived_at
    from delivered
    qualify row_number() over (
        partition by request_id
        order by
            recorded_at desc,
            arrived_at desc,
            source_object desc,
            converted_at desc,
            value_usd desc
    ) = 1
)

select * from deduplicated
