-- the newest flag of each feature and environment, in its last revision
select
    flag_key,
    as_of,
    feature,
    environment,
    state,
    is_frozen,
    since_at,
    slo_name,
    reason,
    earliest_thaw_at,
    data_through_at,
    evaluated_at,
    valid_until_at,
    slo_count,
    evaluations_json
from {{ ref('stg_judgement__freeze_flags') }}
qualify row_number() over (
    partition by feature, environment
    order by as_of desc, revision desc
) = 1
