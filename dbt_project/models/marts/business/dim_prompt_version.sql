-- The hash tells versions apart that share a name: a template that changed under its version, or
-- one that nobody named. A roll-out keeps two versions alive, so a version is superseded when the
-- next one starts, and over when its last call is.
with

calls as (
    select *
    from {{ ref('fct_llm_calls') }}
    where prompt_name is not null or prompt_version is not null or prompt_hash is not null
),

weighed as (
    select
        *,
        {{ exact_weight() }} as weight
    from calls
),

versions as (
    select
        {{ surrogate_key([
            'feature', 'environment', 'prompt_name', 'prompt_version', 'prompt_hash',
        ]) }} as prompt_version_key,
        feature,
        environment,
        prompt_name,
        prompt_version,
        prompt_hash,
        count(*) as n_calls,
        {{ weighted_count('true') }} as call_count,
        min(called_at) as first_called_at,
        max(called_at) as last_called_at,
        {{ weighted_ratio('is_error', 'true') }} as error_ratio,
        {{ weighted_mean('input_tokens') }} as input_mean_tokens,
        {{ weighted_mean('output_tokens') }} as output_mean_tokens,
        cast(sum(cost_usd * weight) as decimal(18, 9)) as cost_usd,
        count(*) filter (where cost_usd is null) as n_unpriced_calls
    from weighed
    group by feature, environment, prompt_name, prompt_version, prompt_hash
)

select
    *,
    lead(first_called_at) over prompt as superseded_at,
    lag(prompt_version_key) over prompt as previous_version_key,
    last_called_at >= {{ days_before_as_of(1) }} as is_current,
    prompt_version is not null
    and min(prompt_hash) over version_name <> max(prompt_hash) over version_name
        as is_changed_under_its_name
from versions
window
    prompt as (
        partition by feature, environment, prompt_name
        order by first_called_at asc, prompt_version_key asc
    ),
    version_name as (partition by feature, environment, prompt_name, prompt_version)
