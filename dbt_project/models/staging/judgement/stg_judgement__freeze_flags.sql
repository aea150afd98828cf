select *
from {{ source('judgement', 'freeze_flags') }}
