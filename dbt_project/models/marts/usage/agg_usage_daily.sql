-- spans may be sampled, what the source counted itself is not: side by side, both show how far
-- the weighted spans are from the truth, and total_ columns are exact wherever the source counts.
-- Canaries are in both: a source does not know them. Counters seldom name the feature, so services
-- are compared.
{{ config(materialized='by_day', meta={'day': 'usage_date', 'axes': ['event', 'usage']}) }}

with

weighed as (
    select
        *,
        call_date as usage_date,
        {{ exact_weight() }} as weight
    from {{ ref('fct_llm_calls') }}
    where {{ touched_rows('call_date', ['event', 'usage']) }}
),

spans as (
    select
        service_name,
        environment,
        request_model,
        usage_date,
        count(*) as n_calls,
        {{ weighted_count('true') }} as call_count,
        {{ weighted_count('is_error') }} as error_count,
        {{ weighted_sum('input_tokens') }} as input_sum_tokens,
        {{ weighted_sum('output_tokens') }} as output_sum_tokens
    from weighed
    group by service_name, environment, request_model, usage_date
),

both_sides as (
    select
        *,
        cast(null as bigint) as counted_call_count,
        cast(null as bigint) as counted_error_count,
        cast(null as bigint) as counted_input_tokens,
        cast(null as bigint) as counted_output_tokens
    from spans
    union all
    select
        service_name,
        environment,
        request_model,
        usage_date,
        0 as n_calls,
        cast(0 as double) as call_count,
        cast(0 as double) as error_count,
        cast(null as bigint) as input_sum_tokens,
        cast(null as bigint) as output_sum_tokens,
        counted_call_count,
        counted_error_count,
        counted_input_tokens,
        counted_output_tokens
    from {{ ref('int_counters__usage_measured') }}
),

-- a side has at most one row of a group, so a sum is that row's value
grouped as (
    select
        service_name,
        environment,
        request_model,
        usage_date,
        cast(sum(n_calls) as bigint) as n_calls,
        sum(call_count) as call_count,
        sum(error_count) as error_count,
        max(input_sum_tokens) as input_sum_tokens,
        max(output_sum_tokens) as output_sum_tokens,
        max(counted_call_count) as counted_call_count,
        max(counted_error_count) as counted_error_count,
        max(counted_input_tokens) as counted_input_tokens,
        max(counted_output_tokens) as counted_output_tokens
    from both_sides
    group by service_name, environment, request_model, usage_date
)

select
    {{ surrogate_key(['service_name', 'environment', 'request_model', 'usage_date']) }}
        as usage_day_key,
    *,
    counted_call_count - call_count as call_gap_count,
    counted_input_tokens - coalesce(input_sum_tokens, 0) as input_gap_tokens,
    counted_output_tokens - coalesce(output_sum_tokens, 0) as output_gap_tokens,
    coalesce(cast(counted_call_count as double), call_count) as total_call_count,
    coalesce(counted_input_tokens, input_sum_tokens) as total_input_tokens,
    coalesce(counted_output_tokens, output_sum_tokens) as total_output_tokens
from grouped
