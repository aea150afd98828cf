select *
from {{ source('judgement', 'verdicts') }}
