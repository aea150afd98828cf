-- as now known: the last revision of each row
select
    recommended_action_key,
    revision,
    as_of,
    feature,
    environment,
    action,
    target,
    alternative,
    triggers,
    reason,
    confidence_ratio,
    confidence_meaning,
    affected_call_count,
    affected_traffic_ratio,
    affected_tenant_count,
    affected_features,
    evidence,
    evidence_query
from {{ ref('stg_judgement__recommended_actions') }}
qualify row_number() over (
    partition by recommended_action_key
    order by revision desc
) = 1
