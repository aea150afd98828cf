-- organic traffic only: canaries are probes, not users. n_ columns count the rows that arrived,
-- everything else weighs each row by the calls it stands for.
{{ config(materialized='by_day', meta={'day': 'call_date'}) }}

{% set groups = ['feature', 'environment', 'request_model', 'call_date'] %}

with

organic as (
    select
        *,
        {{ exact_weight() }} as weight
    from {{ ref('fct_llm_calls') }}
    where not is_canary and {{ touched_rows('call_date') }}
),

calls as (
    select
        *,
        -- a request counts once, however many calls it makes
        case
            when
                request_id is not null
                and row_number() over (
                    partition by {{ groups | join(', ') }}, request_id
                    order by weight desc, call_key asc
                ) = 1
                then weight
        end as request_weight,
        {{ quantile_places('duration_ms', groups) }},
        {{ quantile_places('ttft_ms', groups) }},
        {{ quantile_places('tpot_ms', groups) }}
    from organic
)

select
    {{ surrogate_key(groups) }} as feature_day_key,
    feature,
    environment,
    request_model,
    call_date,
    count(*) as n_calls,
    {{ weighted_count('true') }} as call_count,
    count(distinct request_id) as n_requests,
    cast(coalesce(sum(request_weight), 0) as double) as request_count,
    count(*) filter (where is_error) as n_errors,
    {{ weighted_count('is_error') }} as error_count,
    {{ weighted_count('is_error') }} / {{ weighted_count('true') }} as error_ratio,
    count(duration_ms) as n_durations,
    {{ weighted_quantile('duration_ms', 0.5) }} as duration_p50_ms,
    {{ weighted_quantile('duration_ms', 0.95) }} as duration_p95_ms,
    {{ weighted_quantile('duration_ms', 0.99) }} as duration_p99_ms,
    count(ttft_ms) as n_ttfts,
    {{ weighted_quantile('ttft_ms', 0.5) }} as ttft_p50_ms,
    {{ weighted_quantile('ttft_ms', 0.95) }} as ttft_p95_ms,
    count(tpot_ms) as n_tpots,
    {{ weighted_quantile('tpot_ms', 0.5) }} as tpot_p50_ms,
    {{ weighted_quantile('tpot_ms', 0.95) }} as tpot_p95_ms,
    count(input_tokens) as n_input_tokens,
    {{ weighted_sum('input_tokens') }} as input_sum_tokens,
    {{ weighted_mean('input_tokens') }} as input_mean_tokens,
    count(output_tokens) as n_output_tokens,
    {{ weighted_sum('output_tokens') }} as output_sum_tokens,
    {{ weighted_mean('output_tokens') }} as output_mean_tokens,
    {{ weighted_sum('total_tokens') }} as total_sum_tokens,
    cast(sum(cost_usd * weight) as decimal(18, 9)) as cost_usd,
    count(*) filter (where cost_usd is null) as n_unpriced_calls,
    {{ weighted_count('cost_usd is null') }} as unpriced_call_count,
    count(is_retrieval_empty) as n_retrievals,
    count(*) filter (where is_retrieval_empty) as n_empty_retrievals,
    {{ weighted_count('is_retrieval_empty') }}
    / nullif({{ weighted_count('is_retrieval_empty is not null') }}, 0) as empty_retrieval_ratio,
    count(*) filter (where is_escalated) as n_escalated,
    {{ weighted_count('is_escalated') }} as escalated_count,
    count(*) filter (where is_overridden) as n_overridden,
    {{ weighted_count('is_overridden') }} as overridden_count,
    count(*) filter (where is_converted) as n_converted,
    {{ weighted_count('is_converted') }} as converted_count
from calls
group by feature, environment, request_model, call_date
