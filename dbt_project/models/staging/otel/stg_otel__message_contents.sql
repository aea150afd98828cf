-- a piece of content may be delivered twice: equal pieces of one call and moment count once.
-- Its text stays in the lake (stg_otel__message_texts).
with

delivered as (
    select
        *,
        md5(coalesce(messages_redacted, text_redacted, '')) as piece_hash
    from {{ read_lake('message_contents') }}
    where
        arrived_at < {{ as_of() }}
        and recorded_at < {{ as_of() }}
),

deduplicated as (
    select
        trace_id,
        span_id,
        content_name,
        direction,
        carrier,
        event_name,
        text_redacted is not null as has_text,
        finish_reason,
        recorded_at,
        source_offset,
        source_object,
        arrived_at
    from delivered
    qualify row_number() over (
        partition by
            trace_id, span_id, content_name, direction, event_name, recorded_at, piece_hash
        order by
            {{ non_null_count(['text_redacted', 'finish_reason']) }} desc,
            source_object asc,
            source_offset asc
    ) = 1
)

select * from deduplicated
