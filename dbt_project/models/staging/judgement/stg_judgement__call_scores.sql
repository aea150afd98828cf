select *
from {{ source('judgement', 'call_scores') }}
