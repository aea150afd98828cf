-- a name that was asked for before the week has something to compare with
with

identities as (
    select
        *,
        request_model_first_called_at >= {{ days_before_as_of(7) }} as is_new_name,
        first_called_at >= {{ days_before_as_of(7) }} as is_new_identity
    from {{ ref('dim_model_identity') }}
)

select
    model_identity_key,
    provider,
    request_model,
    response_model,
    system_fingerprint,
    n_calls,
    first_called_at,
    last_called_at,
    previous_identity_key,
    case
        when is_new_name or not ({{ is_enough('n_calls') }}) then 'insufficient_evidence'
        when is_new_identity then 'yes'
        else 'no'
    end as answer
from identities
where last_called_at >= {{ days_before_as_of(7) }}
