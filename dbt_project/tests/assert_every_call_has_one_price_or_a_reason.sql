select
    call_key,
    cost_usd,
    unpriced_reason
from {{ ref('fct_llm_calls') }}
where
    (cost_usd is null) = (unpriced_reason is null)
    and {{ touched_rows('call_date') }}
