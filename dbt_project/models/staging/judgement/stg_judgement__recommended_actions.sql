select *
from {{ source('judgement', 'recommended_actions') }}
