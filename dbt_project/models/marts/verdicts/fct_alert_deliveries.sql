-- as now known: the last revision of each row
select
    alert_delivery_key,
    revision,
    as_of,
    alert_event_key,
    channel,
    channel_kind,
    attempted_at,
    delivery_status,
    http_status_code,
    try_count,
    is_page,
    reason
from {{ ref('stg_judgement__alert_deliveries') }}
qualify row_number() over (
    partition by alert_delivery_key
    order by revision desc
) = 1
