-- a data point may be delivered more than once: the richest copy wins, ties by a fixed order
with

delivered as (
    select *
    from {{ read_lake('source_counters') }}
    where
        arrived_at < {{ as_of() }}
        and measured_at < {{ as_of() }}
),

deduplicated as (
    select
        series_hash,
        metric_name,
        unit,
        instrument,
        temporality,
        is_monotonic,
        started_at,
        measured_at,
        service_name,
        environment,
        feature,
        operation_name,
        provider,
        request_model,
        response_model,
        token_type,
        error_type,
        point_count,
        point_sum,
        point_min,
        point_max,
        source_offset,
        source_object,
        arrived_at
    from delivered
    qualify row_number() over (
        partition by series_hash, measured_at
        order by
            {{ non_null_count([
                'started_at',
                'point_count',
                'point_sum',
                'point_min',
                'point_max',
                'bucket_counts',
            ]) }} desc,
            source_object desc,
            source_offset desc
    ) = 1
)

select * from deduplicated
