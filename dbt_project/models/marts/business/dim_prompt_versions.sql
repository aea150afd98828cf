select
    {{ surrogate_key(['feature', 'environment', 'prompt_name', 'prompt_version']) }}
        as prompt_version_key,
    feature,
    environment,
    prompt_name,
    prompt_version,
    count(*) as n_calls,
    cast(sum({{ exact_weight() }}) as double) as call_count,
    min(called_at) as first_called_at,
    max(called_at) as last_called_at
from {{ ref('int_calls__identified') }}
where prompt_name is not null or prompt_version is not null
group by feature, environment, prompt_name, prompt_version
