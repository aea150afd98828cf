-- of the delivered copies of a span, the one whose documents say most gives all of them
with

delivered as (
    select
        *,
        sum({{ non_null_count([
            'document_id',
            'document_score',
            'is_packed',
            'document_tokens',
            'content_redacted',
            'metadata_redacted',
        ]) }} + 1) over (
            partition by trace_id, span_id, source_object, source_offset
        ) as copy_known_value_count
    from {{ read_lake('retrieval_documents') }}
    where
        arrived_at < {{ as_of() }}
        and retrieved_at < {{ as_of() }}
),

deduplicated as (
    select
        trace_id,
        span_id,
        document_rank,
        document_id,
        document_score,
        is_packed,
        document_tokens,
        {{ sha256_hex('content_redacted') }} as document_content_hash,
        retrieved_at,
        source_offset,
        source_object,
        arrived_at
    from delivered
    qualify rank() over (
        partition by trace_id, span_id
        order by
            copy_known_value_count desc,
            source_object desc,
            source_offset desc
    ) = 1
)

select * from deduplicated
