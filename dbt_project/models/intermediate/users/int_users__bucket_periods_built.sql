-- a user's newest assignment holds; of experiments that assign at one instant, the first by name
with

assignments as (
    select
        user_key,
        experiment_name,
        bucket_name,
        assigned_at
    from {{ ref('stg_facts__experiment_buckets') }}
    qualify row_number() over (
        partition by user_key, assigned_at
        order by experiment_name asc
    ) = 1
)

select
    user_key,
    experiment_name,
    bucket_name,
    assigned_at as valid_from_at,
    lead(assigned_at) over (
        partition by user_key
        order by assigned_at asc
    ) as valid_to_at
from assignments
