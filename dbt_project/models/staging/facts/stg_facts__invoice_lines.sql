-- of several records of one line, the last recorded wins
{{ config(
    materialized='by_day',
    meta={'day': 'cast(usage_started_at as date)', 'axes': ['invoice']}
) }}

with

delivered as (
    select *
    from {{ read_lake('fact_invoice_lines') }}
    where
        recorded_at < {{ as_of() }}
        and arrived_at < {{ as_of() }}
),

deduplicated as (
    select
        provider,
        line_id,
        model,
        usage_started_at,
        cast(billed_usd as decimal(18, 9)) as billed_usd,
        recorded_at,
        arrived_at
    from delivered
    qualify row_number() over (
        partition by provider, line_id
        order by
            recorded_at desc,
            arrived_at desc,
            source_object desc,
            usage_started_at desc,
            model asc,
            billed_usd desc
    ) = 1
)

select * from deduplicated
