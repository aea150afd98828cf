-- Deploys that began in the last seven days, each against the one before it. One of few calls says
-- nothing, and nothing is compared with it.
with

deploys as (
    select *
    from {{ ref('dim_deploy') }}
    where service_version is not null
),

compared as (
    select
        deploy_key,
        lag(service_version) over service as baseline_service_version,
        lag(n_calls) over service as n_baseline_calls,
        lag(effective_call_count) over service as baseline_effective_call_count,
        lag(error_ratio) over service as baseline_error_ratio,
        lag(cost_mean_usd) over service as baseline_cost_mean_usd,
        lag(n_calls - n_unpriced_calls) over service as n_baseline_priced_calls
    from deploys
    where {{ is_enough('n_calls') }}
    window service as (
        partition by service_name, environment
        order by first_called_at asc, deploy_key asc
    )
),

scored as (
    select
        deploys.*,
        compared.baseline_service_version,
        compared.baseline_error_ratio,
        compared.baseline_cost_mean_usd,
        coalesce(compared.n_baseline_calls, 0) as n_baseline_calls,
        {{ ratio_rise_score(
            'deploys.error_ratio', 'deploys.effective_call_count',
            'compared.baseline_error_ratio', 'compared.baseline_effective_call_count'
        ) }} as error_rise_score,
        {{ is_enough('deploys.n_calls - deploys.n_unpriced_calls') }}
        and {{ is_enough('compared.n_baseline_priced_calls') }} as is_cost_known
    from deploys
    left join compared on deploys.deploy_key = compared.deploy_key
    where deploys.first_called_at >= {{ days_before_as_of(7) }}
),

judged as (
    select
        deploy_key,
        service_name,
        environment,
        service_version,
        baseline_service_version,
        first_called_at,
        is_returned,
        n_calls,
        n_baseline_calls,
        {{ if_enough('n_calls', 'error_ratio') }} as error_ratio,
        baseline_error_ratio,
        error_rise_score,
        {{ if_enough('n_calls', 'cost_mean_usd') }} as cost_mean_usd,
        baseline_cost_mean_usd,
        error_rise_score >= {{ var('min_rise_score') }} as is_error_jump,
        -- half as much again of nothing is nothing
        case
            when is_cost_known
                then cost_mean_usd >= 1.5 * baseline_cost_mean_usd and cost_mean_usd > 0
        end as is_cost_jump
    from scored
)

select
    *,
    case
        when not ({{ is_enough('n_calls') }}) or not ({{ is_enough('n_baseline_calls') }})
            then 'insufficient_evidence'
        when is_error_jump or is_cost_jump then 'yes'
        when is_cost_jump is null then 'insufficient_evidence'
        else 'no'
    end as answer
from judged
