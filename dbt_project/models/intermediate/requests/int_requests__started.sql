-- a request may make several calls; its first one says whose request it is
select
    {{ asked_id('calls') }} as asked_id,
    calls.request_id,
    calls.trace_id,
    calls.session_key,
    calls.call_key,
    calls.called_at
from {{ ref('int_calls__identified') }} as calls
qualify row_number() over (
    partition by {{ asked_id('calls') }}
    order by calls.called_at asc, calls.call_key asc
) = 1
