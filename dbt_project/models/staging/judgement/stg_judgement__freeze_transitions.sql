select *
from {{ source('judgement', 'freeze_transitions') }}
