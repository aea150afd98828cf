-- the same result may arrive on a span event and on a log event: it counts once
with

delivered as (
    select *
    from {{ read_lake('evaluations') }}
    where
        arrived_at < {{ as_of() }}
        and evaluated_at < {{ as_of() }}
),

deduplicated as (
    select
        trace_id,
        span_id,
        evaluation_name,
        evaluation_score,
        evaluation_label,
        explanation_redacted,
        carrier,
        evaluated_at,
        arrived_at
    from delivered
    qualify row_number() over (
        partition by trace_id, span_id, evaluation_name, evaluated_at
        order by
            {{ non_null_count([
                'evaluation_score',
                'evaluation_label',
                'explanation_redacted',
            ]) }} desc,
            carrier asc,
            source_object desc,
            source_offset desc
    ) = 1
)

select * from deduplicated
