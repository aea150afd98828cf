-- A name that is asked for may be answered by another model, or by the same one served otherwise.
-- Several identities may answer at the same time: each has its first and last call, no period.
with

identities as (
    select
        {{ surrogate_key([
            'provider', 'request_model', 'response_model', 'system_fingerprint',
        ]) }} as model_identity_key,
        provider,
        request_model,
        response_model,
        system_fingerprint,
        cast(sum(n_calls) as bigint) as n_calls,
        cast(sum(call_weight) as double) as call_count,
        min(first_called_at) as first_called_at,
        max(last_called_at) as last_called_at
    from {{ ref('int_daily__models_counted') }}
    -- a failed call was answered by nobody
    where
        request_model is not null
        and (response_model is not null or system_fingerprint is not null)
    group by provider, request_model, response_model, system_fingerprint
),

ordered as (
    select
        *,
        min(first_called_at) over (partition by provider, request_model)
            as request_model_first_called_at,
        row_number() over (
            partition by provider, request_model
            order by first_called_at asc, model_identity_key asc
        ) as identity_index,
        lag(model_identity_key) over (
            partition by provider, request_model
            order by first_called_at asc, model_identity_key asc
        ) as previous_identity_key
    from identities
)

select
    model_identity_key,
    provider,
    request_model,
    response_model,
    system_fingerprint,
    cast(identity_index as int) as identity_index,
    previous_identity_key,
    n_calls,
    call_count,
    request_model_first_called_at,
    first_called_at,
    last_called_at,
    last_called_at >= {{ days_before_as_of(1) }} as is_current
from ordered
