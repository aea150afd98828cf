select *
from {{ source('judgement', 'freeze_overrides') }}
