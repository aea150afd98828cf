select
    call_key,
    called_at,
    escalation_recorded_at,
    override_recorded_at
from {{ ref('fct_llm_calls') }}
where
    {{ touched_rows('call_date') }}
    and (
        called_at >= {{ as_of() }}
        or arrived_at >= {{ as_of() }}
        or escalation_recorded_at >= {{ as_of() }}
        or override_recorded_at >= {{ as_of() }}
    )
