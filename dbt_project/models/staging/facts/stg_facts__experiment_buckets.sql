-- a corrected assignment of the same instant replaces the earlier record
{{ config(materialized='by_day', meta={'day': 'cast(assigned_at as date)', 'axes': ['bucket']}) }}

with

delivered as (
    select *
    from {{ read_lake('fact_experiment_buckets') }}
    where
        recorded_at < {{ as_of() }}
        and arrived_at < {{ as_of() }}
),

deduplicated as (
    select
        user_key,
        experiment_name,
        bucket_name,
        assigned_at,
        recorded_at,
        arrived_at
    from delivered
    qualify row_number() over (
        partition by user_key, experiment_name, assigned_at
        order by
            recorded_at desc,
            arrived_at desc,
            source_object desc,
            bucket_name asc
    ) = 1
)

select * from deduplicated
