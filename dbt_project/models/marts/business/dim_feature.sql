with

calls as (
    select
        feature,
        environment,
        cast(sum(n_calls) as bigint) as n_calls,
        cast(sum(call_weight) as double) as call_count,
        min(first_called_at) as first_called_at,
        max(last_called_at) as last_called_at,
        cast(coalesce(sum(stream_weight), 0) as double)
        / cast(sum(known_stream_weight) as double) as stream_ratio,
        cast(coalesce(sum(retrieval_weight), 0) as double) / cast(sum(call_weight) as double)
            as retrieval_ratio,
        sum(retrieval_weight) is not null as has_retrieval
    from {{ ref('int_daily__features_counted') }}
    group by feature, environment
),

people as (
    select
        feature,
        environment,
        count(distinct tenant_key) as tenant_count,
        count(distinct user_key) as user_count
    from {{ ref('agg_user_cost_daily') }}
    where not is_canary
    group by feature, environment
),

-- a version is one of its prompt there, and counts once here
cuts as (
    select
        feature,
        environment,
        count(distinct case when dimension = 'route' then dimension_value end) as route_count,
        count(distinct case when dimension = 'model' then dimension_value end)
            as request_model_count,
        count(distinct case when dimension = 'prompt_version' then dimension_value end)
            as prompt_version_count
    from {{ ref('agg_calls_daily') }}
    where dimension in ('route', 'model', 'prompt_version')
    group by feature, environment
)

select
    {{ surrogate_key(['calls.feature', 'calls.environment']) }} as feature_key,
    calls.feature,
    calls.environment,
    calls.n_calls,
    calls.call_count,
    calls.first_called_at,
    calls.last_called_at,
    calls.last_called_at >= {{ days_before_as_of(7) }} as is_active,
    people.tenant_count,
    people.user_count,
    cuts.route_count,
    cuts.request_model_count,
    cuts.prompt_version_count,
    calls.stream_ratio,
    calls.retrieval_ratio,
    calls.has_retrieval
from calls
inner join people
    on
        calls.feature = people.feature
        and calls.environment = people.environment
inner join cuts
    on
        calls.feature = cuts.feature
        and calls.environment = cuts.environment
