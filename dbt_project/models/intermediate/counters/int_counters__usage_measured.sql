-- Calls and tokens as the source counted them. Conventions renamed the metrics, and a library may
-- send old and new ones beside each other: of those for one quantity the newest is taken.
with

increases as (
    select
        points.service_name,
        points.environment,
        points.request_model,
        -- a point counts up to, not including, the moment it was taken
        cast(points.measured_at - interval 1 microsecond as date) as usage_date,
        coalesce(points.operation_name, 'unknown') as operation_name,
        points.metric_name,
        points.error_type,
        case
            when points.metric_name = 'gen_ai.client.inference.usage.input_tokens' then 'input'
            when points.metric_name = 'gen_ai.client.inference.usage.output_tokens' then 'output'
            when points.metric_name = 'gen_ai.client.inference.operation.input_tokens' then 'input'
            when points.metric_name = 'gen_ai.client.inference.operation.output_tokens'
                then 'output'
            when points.metric_name = 'gen_ai.client.embeddings.operation.input_tokens'
                then 'input'
            when points.metric_name = 'gen_ai.client.token.usage' then points.token_type
            when points.metric_name in (
                'gen_ai.client.inference.duration',
                'gen_ai.client.embeddings.duration',
                'gen_ai.client.operation.duration'
            ) then 'calls'
        end as quantity,
        case
            when points.metric_name like 'gen_ai.client.inference.usage.%' then 1
            when points.metric_name in (
                'gen_ai.client.token.usage', 'gen_ai.client.operation.duration'
            ) then 3
            else 2
        end as preference,
        increased.increase_count,
        increased.increase_sum
    from {{ ref('int_counters__increased') }} as increased
    inner join {{ ref('stg_otel__source_counters') }} as points
        on
            increased.series_hash = points.series_hash
            and increased.measured_at = points.measured_at
),

preferred as (
    select *
    from increases
    where
        quantity in ('input', 'output', 'calls')
        -- an agent's or a tool's own duration and tokens repeat those of the calls inside it
        and operation_name in (
            'chat', 'text_completion', 'generate_content', 'embeddings', 'unknown'
        )
    qualify rank() over (
        partition by
            service_name, environment, request_model, usage_date, operation_name, quantity
        order by preference asc
    ) = 1
)

select
    service_name,
    environment,
    request_model,
    usage_date,
    cast(sum(increase_count) filter (where quantity = 'calls') as bigint) as counted_call_count,
    cast(sum(
        case when error_type is null then 0 else increase_count end
    ) filter (where quantity = 'calls') as bigint) as counted_error_count,
    cast(round(sum(increase_sum) filter (where quantity = 'input')) as bigint)
        as counted_input_tokens,
    cast(round(sum(increase_sum) filter (where quantity = 'output')) as bigint)
        as counted_output_tokens
from preferred
group by service_name, environment, request_model, usage_date
