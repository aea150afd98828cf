-- an event may be delivered twice: its richest copy counts. Its texts stay in the lake.
with

delivered as (
    select *
    from {{ read_lake('call_events') }}
    where
        arrived_at < {{ as_of() }}
        and recorded_at < {{ as_of() }}
),

deduplicated as (
    select
        trace_id,
        span_id,
        response_id,
        event_name,
        error_type,
        error_class,
        http_status_code,
        recorded_at,
        source_offset,
        source_object,
        arrived_at
    from delivered
    qualify row_number() over (
        partition by trace_id, span_id, response_id, event_name, recorded_at
        order by
            {{ non_null_count(['error_type', 'error_class', 'http_status_code']) }} desc,
            source_object desc,
            source_offset desc
    ) = 1
)

select * from deduplicated
