-- a corrected tier of the same start replaces the earlier record
{{ config(materialized='by_day', meta={'day': 'cast(valid_from_at as date)', 'axes': ['tier']}) }}

with

delivered as (
    select *
    from {{ read_lake('fact_subscription_tiers') }}
    where
        recorded_at < {{ as_of() }}
        and arrived_at < {{ as_of() }}
),

deduplicated as (
    select
        tenant_key,
        tier,
        valid_from_at,
        recorded_at,
        arrived_at
    from delivered
    qualify row_number() over (
        partition by tenant_key, valid_from_at
        order by
            recorded_at desc,
            arrived_at desc,
            source_object desc,
            tier asc
    ) = 1
)

select * from deduplicated
