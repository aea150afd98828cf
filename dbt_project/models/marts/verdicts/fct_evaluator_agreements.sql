-- as now known: the last revision of each answer about an evaluator
select
    agreement_key,
    revision,
    as_of,
    evaluator,
    evaluator_version,
    question,
    value,
    value_lower,
    value_upper,
    unit,
    p_value,
    n_reference,
    n_current,
    reason,
    method,
    seed
from {{ ref('stg_judgement__evaluator_agreements') }}
qualify row_number() over (
    partition by agreement_key
    order by revision desc
) = 1
