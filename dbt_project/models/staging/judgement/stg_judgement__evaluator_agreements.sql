select *
from {{ source('judgement', 'evaluator_agreements') }}
