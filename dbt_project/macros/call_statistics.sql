{#
    Every statistic of calls by hour or day, in one place: agg_calls_hourly and agg_calls_daily are
    this query for their period. A call appears once per dimension, so rows of one dimension add
    up to the traffic and rows of different dimensions do not. Quantiles cannot be added up: each
    row's are computed from its own calls, and those of a longer window from the calls again.
#}

{# What the calls are cut by, and how one call's value is read. #}
{% macro call_dimensions() -%}
    {{ return({
        'environment': 'environment',
        'feature': 'feature',
        'tenant': 'tenant_key',
        'model': 'request_model',
        'prompt_version': 'prompt_version',
        'route': 'route',
    }) }}
{%- endmacro %}

{# Columns with quantiles, and which. #}
{% macro call_quantile_columns() -%}
    {{ return({
        'duration_ms': [0.5, 0.95, 0.99],
        'ttft_ms': [0.5, 0.95, 0.99],
        'tpot_ms': [0.5, 0.95, 0.99],
        'chunk_gap_p99_ms': [0.5, 0.99],
        'queue_ms': [0.5, 0.95, 0.99],
        'input_tokens': [0.25, 0.5, 0.75, 0.9, 0.95, 0.99],
        'output_tokens': [0.25, 0.5, 0.75, 0.9],
        'total_tokens': [0.25, 0.5, 0.75, 0.9],
        'cost_usd': [0.25, 0.5, 0.75, 0.9],
    }) }}
{%- endmacro %}

{# duration_ms and 0.95 give duration_p95_ms: the unit stays last. #}
{% macro quantile_name(column, fraction) -%}
    {%- set words = column.split('_') -%}
    {{ words[:-1] | join('_') }}_p{{ (fraction * 100) | round | int }}_{{ words[-1] }}
{%- endmacro %}

{% macro call_error_classes() -%}
    {{ return([
        'rate_limit', 'context_length_exceeded', 'timeout', 'invalid_api_key', 'content_filter',
        'server_error', 'cancelled', 'other',
    ]) }}
{%- endmacro %}

{% macro call_finish_reasons() -%}
    {{ return(['stop', 'length', 'tool_call', 'content_filter', 'error', 'other']) }}
{%- endmacro %}

{# The statistics of all calls by period ('hour' or 'day') and dimension. #}
{% macro call_statistics(period) %}
with

measured as (
    {{ measured_calls(period) }}
),

dimensioned as (
    {{ dimensioned_calls() }}
),

calls as (
    select
        *,
        {{ surrogate_key([
            'dimension', 'environment', 'feature', 'prompt_name', 'dimension_value',
            'period_started_at',
        ]) }} as call_statistics_key
    from dimensioned
),

counted as (
    {{ counted_calls() }}
),

{{ call_quantiles() }}

select
    {%- for column, fractions in call_quantile_columns().items() %}{% for fraction in fractions %}
    quantiles.{{ quantile_name(column, fraction) }},
    {%- endfor %}{% endfor %}
    counted.*
from counted
left join quantiles on counted.call_statistics_key = quantiles.call_statistics_key
{% endmacro %}

{# Organic calls with what evaluations say of them and what was packed into their prompts. #}
{% macro measured_calls(period) %}
    select
        calls.environment,
        calls.feature,
        calls.prompt_name,
        {%- for column in call_dimensions().values() if column not in ('environment', 'feature') %}
        calls.{{ column }},
        {%- endfor %}
        cast(date_trunc('{{ period }}', calls.called_at) as {{ type_instant() }})
            as period_started_at,
        {{ exact_weight('calls.sample_weight') }} as weight,
        {%- for column in [
            'is_error', 'error_class', 'finish_reason', 'duration_ms', 'ttft_ms', 'tpot_ms',
            'chunk_gap_p99_ms', 'queue_ms', 'input_tokens', 'output_tokens', 'total_tokens',
            'cache_write_tokens', 'reasoning_tokens', 'cost_usd', 'is_retrieval_empty',
        ] %}
        calls.{{ column }},
        {%- endfor %}
        -- an answer that a gateway repeated neither hit nor missed the provider's cache
        case when not coalesce(calls.is_gateway_cache_hit, false) then calls.cache_read_tokens end
            as cache_read_tokens,
        case when not coalesce(calls.is_gateway_cache_hit, false) then calls.input_tokens end
            as cacheable_tokens,
        -- microseconds as a decimal: sums do not depend on the order of rows
        cast(calls.duration_ms as decimal(18, 3)) as exact_duration_ms,
        evaluated.is_refusal,
        evaluated.is_malformed,
        evaluated.is_toxic,
        evaluated.is_ungrounded,
        -- more packed than prompt tokens are a counting mistake of the source
        case
            when packings.packed_tokens is not null and calls.input_tokens is not null
                then least(packings.packed_tokens, calls.input_tokens)
        end as packed_tokens,
        packings.dropped_document_count,
        packings.dropped_document_count + coalesce(packings.packed_document_count, 0)
            as offered_document_count
    from {{ ref('fct_llm_calls') }} as calls
    left join {{ ref('int_calls__evaluated') }} as evaluated
        on calls.call_key = evaluated.call_key
    left join {{ ref('int_calls__packings_summed') }} as packings
        on calls.call_key = packings.call_key
    where not calls.is_canary and {{ touched_rows('calls.call_date') }}
{%- endmacro %}

{#
    Each call once per dimension; an environment's row is over all of its features, and a version is
    one of its prompt: v1 of two prompts are two rows.
#}
{% macro dimensioned_calls() %}
    {%- set branches = [] -%}
    {%- for dimension, column in call_dimensions().items() -%}
        {%- do branches.append({
            'dimension': "'" ~ dimension ~ "'",
            'dimension_value': column,
            'environment': 'environment',
            'feature': 'cast(null as string)' if dimension == 'environment' else 'feature',
            'prompt_name':
                'prompt_name' if dimension == 'prompt_version' else 'cast(null as string)',
        }) -%}
    {%- endfor -%}
    {{ multiplied('measured', branches, call_measures()) }}
{%- endmacro %}

{# Columns of a measured call that say nothing about which group it is in. #}
{% macro call_measures() -%}
    {{ return([
        'period_started_at', 'weight', 'is_error', 'error_class', 'finish_reason', 'duration_ms',
        'exact_duration_ms', 'ttft_ms', 'tpot_ms', 'chunk_gap_p99_ms', 'queue_ms', 'input_tokens',
        'output_tokens', 'total_tokens', 'cache_read_tokens', 'cache_write_tokens',
        'cacheable_tokens', 'reasoning_tokens', 'cost_usd', 'is_retrieval_empty', 'is_refusal',
        'is_malformed', 'is_toxic', 'is_ungrounded', 'packed_tokens', 'dropped_document_count',
        'offered_document_count',
    ]) }}
{%- endmacro %}
