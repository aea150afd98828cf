-- a tool call may be delivered on its span and in a log event: the richest copy wins, ties by a
-- fixed order. Arguments and result stay in the lake.
with

delivered as (
    select *
    from {{ read_lake('tool_calls') }}
    where
        arrived_at < {{ as_of() }}
        and called_at < {{ as_of() }}
),

deduplicated as (
    select
        trace_id,
        span_id,
        call_index,
        role,
        tool_call_id,
        tool_name,
        tool_type,
        {{ sha256_hex('arguments_redacted') }} as arguments_hash,
        is_error,
        called_at,
        source_offset,
        source_object,
        arrived_at
    from delivered
    qualify row_number() over (
        partition by trace_id, span_id, call_index
        order by
            {{ non_null_count([
                'tool_call_id',
                'tool_name',
                'tool_type',
                'arguments_redacted',
                'result_redacted',
                'is_error',
            ]) }} desc,
            source_object desc,
            source_offset desc
    ) = 1
)

select * from deduplicated
