-- What a person asked once, however many calls and retries it took. Who asked for what is said by
-- the first call, how it ended by the last one.
{{ config(materialized='by_day', meta={'day': 'request_date'}) }}

with

calls as (
    select
        calls.*,
        {{ asked_id('calls') }} as asked_id,
        coalesce(evaluated.is_refusal, false)
        or coalesce(evaluated.is_malformed, false)
        or coalesce(evaluated.is_toxic, false)
        or coalesce(evaluated.is_ungrounded, false) as is_judged_bad
    from {{ ref('fct_llm_calls') }} as calls
    left join {{ ref('int_calls__evaluated') }} as evaluated on calls.call_key = evaluated.call_key
    where {{ loaded_rows('calls.call_date') }}
),

ordered as (
    select
        calls.*,
        traces.trace_duration_ms,
        row_number() over (
            partition by calls.asked_id
            order by calls.called_at asc, calls.call_key asc
        ) = 1 as is_first,
        row_number() over (
            partition by calls.asked_id
            order by calls.called_at desc, calls.call_key desc
        ) = 1 as is_last
    from calls
    inner join {{ ref('int_traces__timed') }} as traces on calls.trace_id = traces.trace_id
    where {{ loaded_rows('cast(traces.trace_started_at as date)') }}
),

requests as (
    select
        {{ surrogate_key(['asked_id']) }} as request_key,
        max(request_id) as request_id,
        max(call_key) filter (where is_first) as first_call_key,
        max(trace_id) filter (where is_first) as trace_id,
        max(feature) filter (where is_first) as feature,
        max(environment) filter (where is_first) as environment,
        max(tenant_key) filter (where is_first) as tenant_key,
        max(user_key) filter (where is_first) as user_key,
        max(session_key) filter (where is_first) as session_key,
        max(locale) filter (where is_first) as locale,
        max(route) filter (where is_first) as route,
        max(request_model) filter (where is_first) as request_model,
        max(prompt_name) filter (where is_first) as prompt_name,
        max(prompt_version) filter (where is_first) as prompt_version,
        {{ is_any('is_canary') }} as is_canary,
        min(called_at) as first_called_at,
        cast(min(called_at) as date) as request_date,
        count(*) as n_calls,
        max(trace_duration_ms) as duration_ms,
        {{ sum_if_all_known('input_tokens', 'bigint') }} as input_tokens,
        {{ sum_if_all_known('output_tokens', 'bigint') }} as output_tokens,
        {{ sum_if_all_known('total_tokens', 'bigint') }} as total_tokens,
        {{ sum_if_all_known('cost_usd', 'decimal(18, 9)') }} as cost_usd,
        {{ is_any('is_last and is_error') }} as is_error,
        {{ is_any("is_last and finish_reason = 'length'") }} as is_cut_off,
        {{ is_any("is_last and (is_judged_bad or finish_reason = 'content_filter')") }}
            as is_judged_bad,
        max(cast(is_retrieval_empty as int)) = 1 as is_retrieval_empty,
        max(cast(is_escalated as int)) = 1 as is_escalated,
        max(cast(is_overridden as int)) = 1 as is_overridden,
        max(cast(is_converted as int)) = 1 as is_converted,
        max(conversion_value_usd) as conversion_value_usd,
        {{ seconds_between('min(called_at)', as_of()) }}
        > 3600 * {{ policy_number('outcome_maturity_h') }} as is_settled,
        max(sample_weight) as sample_weight
    from ordered
    group by asked_id
)

select
    *,
    is_error or is_cut_off or is_judged_bad as is_bad_answer,
    -- a bad end is known at once; a good one only when nothing bad can still arrive, and would
    -- have said that it is about this request
    case
        when is_error or is_escalated or is_overridden then false
        when is_settled and is_escalated is not null and is_overridden is not null then true
    end as is_good
from requests
