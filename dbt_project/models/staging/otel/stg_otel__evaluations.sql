-- the same result may arrive on a span event and on a log event: it counts once. What is judged
-- is the span, else the response, else the session, as far as the source names it.
with

delivered as (
    select
        *,
        case when span_id is null then response_id end as judged_response_id,
        case when trace_id is null and response_id is null then session_key end
            as judged_session_key
    from {{ read_lake('evaluations') }}
    where
        arrived_at < {{ as_of() }}
        and evaluated_at < {{ as_of() }}
),

deduplicated as (
    select
        {{ surrogate_key([
            'trace_id',
            'span_id',
            'judged_response_id',
            'judged_session_key',
            'evaluation_name',
            'annotator_kind',
            'evaluated_at',
        ]) }} as evaluation_key,
        trace_id,
        span_id,
        session_key,
        response_id,
        evaluation_name,
        evaluation_score,
        evaluation_label,
        explanation_redacted,
        annotator_kind,
        carrier,
        evaluated_at,
        arrived_at
    from delivered
    qualify row_number() over (
        partition by
            trace_id,
            span_id,
            judged_response_id,
            judged_session_key,
            evaluation_name,
            annotator_kind,
            evaluated_at
        order by
            {{ non_null_count([
                'evaluation_score',
                'evaluation_label',
                'explanation_redacted',
                'session_key',
                'response_id',
            ]) }} desc,
            carrier asc,
            source_object desc,
            source_offset desc
    ) = 1
)

select * from deduplicated
