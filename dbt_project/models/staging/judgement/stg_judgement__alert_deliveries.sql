select *
from {{ source('judgement', 'alert_deliveries') }}
