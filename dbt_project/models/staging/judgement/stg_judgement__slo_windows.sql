select *
from {{ source('judgement', 'slo_windows') }}
