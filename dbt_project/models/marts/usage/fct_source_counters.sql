{{ config(materialized='by_day', meta={'day': 'cast(measured_at as date)', 'axes': ['counter']}) }}

with

points as (
    select * from {{ ref('stg_otel__source_counters') }}
),

increases as (
    select * from {{ ref('int_counters__increased') }}
)

select
    {{ surrogate_key(['points.series_hash', 'points.measured_at']) }} as source_counter_key,
    points.series_hash,
    points.metric_name,
    points.unit,
    points.instrument,
    points.temporality,
    points.is_monotonic,
    points.started_at,
    points.measured_at,
    points.service_name,
    points.feature,
    points.environment,
    points.operation_name,
    points.provider,
    points.request_model,
    points.response_model,
    points.token_type,
    points.error_type,
    points.point_count,
    points.point_sum,
    points.point_min,
    points.point_max,
    increases.increase_count,
    increases.increase_sum,
    points.arrived_at
from points
left join increases
    on
        points.series_hash = increases.series_hash
        and points.measured_at = increases.measured_at
