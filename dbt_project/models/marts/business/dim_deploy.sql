-- A roll-out keeps two versions alive, so a deploy is superseded when the next one starts, and over
-- when its last call is.
with

deploys as (
    select
        {{ surrogate_key([
            'service_name', 'environment', 'service_version', 'deploy_index',
        ]) }} as deploy_key,
        service_name,
        environment,
        service_version,
        service_version is null as is_unnamed,
        deploy_index,
        cast(sum(n_calls) as bigint) as n_calls,
        cast(sum(call_weight) as double) as call_count,
        power(cast(sum(call_weight) as double), 2) / cast(sum(squared_weight) as double)
            as effective_call_count,
        min(first_called_at) as first_called_at,
        max(last_called_at) as last_called_at,
        cast(coalesce(sum(error_weight), 0) as double) / cast(sum(call_weight) as double)
            as error_ratio,
        cast(sum(duration_sum_ms) as double) / cast(sum(known_duration_weight) as double)
            as duration_mean_ms,
        cast(sum(ttft_sum_ms) as double) / cast(sum(known_ttft_weight) as double)
            as ttft_mean_ms,
        cast(sum(cost_usd) as double) / cast(sum(priced_weight) as double) as cost_mean_usd,
        cast(sum(cost_usd) as decimal(18, 9)) as cost_usd,
        cast(sum(n_unpriced_calls) as bigint) as n_unpriced_calls
    from {{ ref('int_deploys__hours_numbered') }}
    group by service_name, environment, service_version, deploy_index
)

select
    deploy_key,
    service_name,
    environment,
    service_version,
    deploy_index,
    lag(deploy_key) over service as previous_deploy_key,
    lag(service_version) over service as previous_service_version,
    first_called_at,
    last_called_at,
    lead(first_called_at) over service as superseded_at,
    last_called_at >= {{ days_before_as_of(1) }} as is_current,
    deploy_index > 1 as is_returned,
    n_calls,
    call_count,
    effective_call_count,
    error_ratio,
    duration_mean_ms,
    ttft_mean_ms,
    cost_usd,
    cost_mean_usd,
    n_unpriced_calls
from deploys
-- what names no version has no place in the order of versions
window service as (
    partition by service_name, environment, is_unnamed
    order by first_called_at asc, deploy_key asc
)
