-- requests of the last seven days: a tenant against all others of the feature
with

requests as (
    select
        *,
        {{ exact_weight() }} as weight
    from {{ ref('fct_requests') }}
    where
        first_called_at >= {{ days_before_as_of(7) }}
        and not is_canary
        and tenant_key is not null
),

tenants as (
    select
        feature,
        environment,
        tenant_key,
        count(*) as n_requests,
        sum(weight) as weight_sum,
        sum(weight * weight) as weight_square_sum,
        coalesce(sum(weight) filter (where is_bad_answer), 0) as bad_weight_sum
    from requests
    group by feature, environment, tenant_key
),

compared as (
    select
        *,
        cast((sum(n_requests) over feature_tenants) - n_requests as bigint) as n_other_requests,
        cast(bad_weight_sum as double) / cast(weight_sum as double) as bad_answer_ratio,
        power(cast(weight_sum as double), 2) / cast(weight_square_sum as double)
            as effective_count,
        cast((sum(weight_sum) over feature_tenants) - weight_sum as double) as other_weight_sum,
        cast((sum(weight_square_sum) over feature_tenants) - weight_square_sum as double)
            as other_weight_square_sum,
        cast((sum(bad_weight_sum) over feature_tenants) - bad_weight_sum as double)
            as other_bad_weight_sum
    from tenants
    window feature_tenants as (partition by feature, environment)
),

shared as (
    select
        *,
        other_bad_weight_sum / nullif(other_weight_sum, 0) as other_bad_answer_ratio,
        power(other_weight_sum, 2) / nullif(other_weight_square_sum, 0) as other_effective_count
    from compared
),

scored as (
    select
        *,
        {{ ratio_rise_score(
            'bad_answer_ratio', 'effective_count', 'other_bad_answer_ratio', 'other_effective_count'
        ) }} as bad_answer_rise_score
    from shared
)

select
    {{ surrogate_key(['feature', 'environment', 'tenant_key']) }} as question_key,
    feature,
    environment,
    tenant_key,
    n_requests,
    n_other_requests,
    {{ if_enough('n_requests', 'bad_answer_ratio') }} as bad_answer_ratio,
    {{ if_enough('n_other_requests', 'other_bad_answer_ratio') }} as other_bad_answer_ratio,
    {{ if_enough('least(n_requests, n_other_requests)', 'bad_answer_rise_score') }}
        as bad_answer_rise_score,
    {{ answer_of(
        'bad_answer_rise_score >= ' ~ var('min_rise_score'), ['n_requests', 'n_other_requests']
    ) }} as answer
from scored
