with

organic as (
    select
        *,
        {{ exact_weight() }} as weight
    from {{ ref('fct_llm_calls') }}
    where not is_canary
)

select
    {{ surrogate_key(['feature', 'environment']) }} as feature_key,
    feature,
    environment,
    count(*) as n_calls,
    {{ weighted_count('true') }} as call_count,
    min(called_at) as first_called_at,
    max(called_at) as last_called_at,
    max(called_at) >= {{ days_before_as_of(7) }} as is_active,
    count(distinct tenant_key) as tenant_count,
    count(distinct user_key) as user_count,
    count(distinct route) as route_count,
    count(distinct request_model) as request_model_count,
    count(distinct prompt_version) as prompt_version_count,
    {{ weighted_ratio('is_stream', 'is_stream is not null') }} as stream_ratio,
    {{ weighted_ratio('retrieved_document_count is not null', 'true') }} as retrieval_ratio,
    max(retrieved_document_count) is not null as has_retrieval
from organic
group by feature, environment
