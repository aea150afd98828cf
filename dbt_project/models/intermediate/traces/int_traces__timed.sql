-- from the first start to the last end; who a trace was for is what its first model call says
{{ config(materialized='by_day', meta={'day': 'cast(trace_started_at as date)'}) }}

with

spans as (
    select
        trace_id,
        min(started_at) as trace_started_at,
        max(case when not is_clock_skewed then ended_at end) as trace_ended_at,
        count(*) as n_spans,
        count(*) filter (where is_leaf_model_call) as n_model_calls,
        max(sample_weight) as sample_weight
    from {{ ref('stg_otel__spans') }}
    group by trace_id
),

first_calls as (
    select *
    from {{ ref('int_calls__identified') }}
    qualify row_number() over (
        partition by trace_id
        order by called_at asc, call_key asc
    ) = 1
),

traces as (
    select * from {{ ref('int_traces__identified') }}
)

select
    spans.trace_id,
    coalesce(first_calls.feature, traces.feature) as feature,
    coalesce(first_calls.environment, traces.environment) as environment,
    coalesce(first_calls.tenant_key, traces.tenant_key) as tenant_key,
    coalesce(first_calls.session_key, traces.session_key) as session_key,
    traces.canary_id is not null as is_canary,
    spans.trace_started_at,
    {{ seconds_between('spans.trace_started_at', 'spans.trace_ended_at') }} * 1000
        as trace_duration_ms,
    spans.n_spans,
    spans.n_model_calls,
    spans.sample_weight
from spans
inner join traces on spans.trace_id = traces.trace_id
left join first_calls on spans.trace_id = first_calls.trace_id
