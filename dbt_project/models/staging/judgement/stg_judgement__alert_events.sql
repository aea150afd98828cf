select *
from {{ source('judgement', 'alert_events') }}
