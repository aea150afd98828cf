-- instrumentations often name tenant and request on the root span only; a trace lends its spans
-- a value when all spans that have one agree
select
    trace_id,
    {{ only_value('feature') }} as feature,
    {{ only_value('environment') }} as environment,
    {{ only_value('request_id') }} as request_id,
    {{ only_value('tenant_key') }} as tenant_key,
    {{ only_value('user_key') }} as user_key,
    {{ only_value('session_key') }} as session_key,
    {{ only_value('route') }} as route,
    {{ only_value('locale') }} as locale,
    {{ only_value('canary_id') }} as canary_id
from {{ ref('stg_otel__spans') }}
group by trace_id
