-- The hash tells versions apart that share a name: a template that changed under its version, or
-- one that nobody named. A roll-out keeps two versions alive, so a version is superseded when the
-- next one starts, and over when its last call is.
with

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
        cast(sum(n_calls) as bigint) as n_calls,
        cast(sum(call_weight) as double) as call_count,
        min(first_called_at) as first_called_at,
        max(last_called_at) as last_called_at,
        cast(coalesce(sum(error_weight), 0) as double) / cast(sum(call_weight) as double)
            as error_ratio,
        cast(sum(input_sum_tokens) as double) / cast(sum(known_input_weight) as double)
            as input_mean_tokens,
        cast(sum(output_sum_tokens) as double) / cast(sum(known_output_weight) as double)
            as output_mean_tokens,
        cast(sum(cost_usd) as decimal(18, 9)) as cost_usd,
        cast(sum(n_unpriced_calls) as bigint) as n_unpriced_calls
    from {{ ref('int_daily__prompts_counted') }}
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
