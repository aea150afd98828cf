-- a span may be delivered more than once: the richest copy wins, ties by a fixed order
with

delivered as (
    select *
    from {{ read_lake('spans') }}
    where
        arrived_at < {{ as_of() }}
        and started_at < {{ as_of() }}
),

measured as (
    select
        *,
        {{ span_known_value_count() }} as known_value_count
    from delivered
),

deduplicated as (
    select
        {{ span_select_list() }}
    from measured
    qualify row_number() over (
        partition by trace_id, span_id
        order by
            known_value_count desc,
            ended_at desc nulls last,
            source_object desc,
            source_offset desc
    ) = 1
)

select * from deduplicated
