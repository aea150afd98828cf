-- organic traffic only: canaries are probes, not users
with

calls as (
    select *
    from {{ ref('fct_llm_calls') }}
    where not is_canary
)

select
    {{ surrogate_key(['feature', 'environment', 'request_model', 'call_date']) }}
        as feature_day_key,
    feature,
    environment,
    request_model,
    call_date,
    count(*) as n_calls,
    count(distinct request_id) as n_requests,
    count(*) filter (where is_error) as n_errors,
    count(*) filter (where is_error) / cast(count(*) as double) as error_ratio,
    count(duration_ms) as n_durations,
    {{ exact_quantile('duration_ms', 0.5) }} as duration_p50_ms,
    {{ exact_quantile('duration_ms', 0.95) }} as duration_p95_ms,
    {{ exact_quantile('duration_ms', 0.99) }} as duration_p99_ms,
    count(ttft_ms) as n_ttfts,
    {{ exact_quantile('ttft_ms', 0.5) }} as ttft_p50_ms,
    {{ exact_quantile('ttft_ms', 0.95) }} as ttft_p95_ms,
    count(tpot_ms) as n_tpots,
    {{ exact_quantile('tpot_ms', 0.5) }} as tpot_p50_ms,
    {{ exact_quantile('tpot_ms', 0.95) }} as tpot_p95_ms,
    count(input_tokens) as n_input_tokens,
    cast(sum(input_tokens) as bigint) as input_sum_tokens,
    avg(input_tokens) as input_mean_tokens,
    count(output_tokens) as n_output_tokens,
    cast(sum(output_tokens) as bigint) as output_sum_tokens,
    avg(output_tokens) as output_mean_tokens,
    cast(sum(total_tokens) as bigint) as total_sum_tokens,
    cast(sum(cost_usd) as decimal(18, 9)) as cost_usd,
    count(*) filter (where cost_usd is null) as n_unpriced_calls,
    count(is_retrieval_empty) as n_retrievals,
    count(*) filter (where is_retrieval_empty) as n_empty_retrievals,
    count(*) filter (where is_retrieval_empty)
    / cast(nullif(count(is_retrieval_empty), 0) as double) as empty_retrieval_ratio,
    count(*) filter (where is_escalated) as n_escalated,
    count(*) filter (where is_overridden) as n_overridden,
    count(*) filter (where is_converted) as n_converted
from calls
group by feature, environment, request_model, call_date
