-- as now known: the last revision of each change of state
select
    transition_key,
    revision,
    feature,
    environment,
    from_state,
    to_state,
    transitioned_at,
    slo_name,
    reason,
    actor
from {{ ref('stg_judgement__freeze_transitions') }}
qualify row_number() over (
    partition by transition_key
    order by revision desc
) = 1
