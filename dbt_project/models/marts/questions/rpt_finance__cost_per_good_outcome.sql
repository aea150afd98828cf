-- Settled requests of the last 28 days. A request costs what all of its calls cost, whether it
-- ended well or not. Cost and good ends are those of the same, priced requests; with more than a
-- tenth of the requests unpriced, the version has no answer.
with

settled as (
    select
        *,
        {{ exact_weight() }} as weight
    from {{ ref('fct_requests') }}
    where
        first_called_at >= {{ days_before_as_of(28) }}
        and is_settled
        and is_good is not null
        and not is_canary
),

versions as (
    select
        feature,
        environment,
        prompt_name,
        prompt_version,
        count(*) as n_requests,
        count(*) filter (where cost_usd is null) as n_unpriced_requests,
        count(*) filter (where is_good and cost_usd is not null) as n_good_requests,
        {{ weighted_ratio('is_good', 'true') }} as good_request_ratio,
        {{ weighted_count('is_good and cost_usd is not null') }} as good_request_count,
        cast(sum(cost_usd * weight) as decimal(18, 9)) as cost_usd
    from settled
    group by feature, environment, prompt_name, prompt_version
),

priced as (
    select
        *,
        case
            when {{ is_enough('n_good_requests') }} and 10 * n_unpriced_requests <= n_requests
                then cast(cost_usd / cast(good_request_count as decimal(18, 6)) as decimal(18, 9))
        end as good_request_cost_usd
    from versions
),

ranked as (
    select
        *,
        max(good_request_cost_usd) over (partition by feature, environment) as highest_cost_usd,
        min(good_request_cost_usd) over (partition by feature, environment) as lowest_cost_usd,
        count(good_request_cost_usd) over (partition by feature, environment) as n_compared_versions
    from priced
)

select
    {{ surrogate_key(['feature', 'environment', 'prompt_name', 'prompt_version']) }}
        as question_key,
    feature,
    environment,
    prompt_name,
    prompt_version,
    n_requests,
    n_good_requests,
    {{ if_enough('n_requests', 'good_request_ratio') }} as good_request_ratio,
    n_unpriced_requests,
    cost_usd,
    good_request_cost_usd,
    n_compared_versions,
    case
        when good_request_cost_usd is null or n_compared_versions < 2 then 'insufficient_evidence'
        -- of versions that cost the same none is the dearest
        when good_request_cost_usd = highest_cost_usd and highest_cost_usd > lowest_cost_usd
            then 'yes'
        else 'no'
    end as answer
from ranked
