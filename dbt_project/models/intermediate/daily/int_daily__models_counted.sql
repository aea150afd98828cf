{{ config(materialized='by_day', meta={'day': 'call_date'}) }}

select
    call_date,
    provider,
    request_model,
    response_model,
    system_fingerprint,
    priced_model,
    count(*) as n_calls,
    sum({{ exact_weight() }}) as call_weight,
    min(called_at) as first_called_at,
    max(called_at) as last_called_at
from {{ ref('int_calls__identified') }}
group by
    call_date, provider, request_model, response_model, system_fingerprint, priced_model
