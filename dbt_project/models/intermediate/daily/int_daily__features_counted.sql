-- organic calls; sums stay exact numbers, so that days add up to what all calls at once would give
{{ config(materialized='by_day', meta={'day': 'call_date'}) }}

with

calls as (
    select
        calls.*,
        {{ exact_weight('calls.sample_weight') }} as weight,
        retrievals.retrieved_document_count
    from {{ ref('int_calls__identified') }} as calls
    left join {{ ref('int_traces__retrievals_counted') }} as retrievals
        on calls.trace_id = retrievals.trace_id
    where not calls.is_canary
)

select
    call_date,
    feature,
    environment,
    count(*) as n_calls,
    sum(weight) as call_weight,
    min(called_at) as first_called_at,
    max(called_at) as last_called_at,
    sum(weight) filter (where is_stream) as stream_weight,
    sum(weight) filter (where is_stream is not null) as known_stream_weight,
    sum(weight) filter (where retrieved_document_count is not null) as retrieval_weight
from calls
group by call_date, feature, environment
