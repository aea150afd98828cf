{# What adds up: counts, sums and the ratios of sums of one group of calls. #}
{% macro counted_calls() %}
    select
        call_statistics_key,
        dimension,
        dimension_value,
        environment,
        feature,
        prompt_name,
        period_started_at,
        count(*) as n_calls,
        {{ weighted_count('true') }} as call_count,
        count(*) filter (where is_error) as n_errors,
        {{ weighted_count('is_error') }} as error_count,
        {{ weighted_ratio('is_error', 'true') }} as error_ratio,
        {%- for class in call_error_classes() %}
        {{ weighted_count("error_class = '" ~ class ~ "'") }} as error_{{ class }}_count,
        {%- endfor %}
        {%- for reason in call_finish_reasons() %}
        {{ weighted_count("finish_reason = '" ~ reason ~ "'") }} as finish_{{ reason }}_count,
        {%- endfor %}
        count(finish_reason) as n_finish_reasons,
        {%- for column, name in {
            'duration_ms': 'durations', 'ttft_ms': 'ttfts', 'tpot_ms': 'tpots',
            'chunk_gap_p99_ms': 'chunk_gaps', 'queue_ms': 'queues',
            'input_tokens': 'input_tokens', 'output_tokens': 'output_tokens',
            'cache_read_tokens': 'cache_reads',
        }.items() %}
        count({{ column }}) as n_{{ name }},
        {%- endfor %}
        {%- for kind in ['input', 'output', 'cache_read', 'cache_write', 'reasoning', 'total'] %}
        {{ weighted_sum(kind ~ '_tokens') }} as {{ kind }}_sum_tokens,
        {%- endfor %}
        cast(sum(cost_usd * weight) as decimal(18, 9)) as cost_usd,
        count(*) filter (where cost_usd is null) as n_unpriced_calls,
        {{ weighted_rates() }}
        {{ evaluation_rates() }}
        count(is_retrieval_empty) as n_retrievals,
        count(*) filter (where is_retrieval_empty) as n_empty_retrievals,
        {{ weighted_ratio('is_retrieval_empty', 'is_retrieval_empty is not null') }}
            as empty_retrieval_ratio
    from calls
    group by
        call_statistics_key, dimension, dimension_value, environment, feature, prompt_name,
        period_started_at
{%- endmacro %}

{# Ratios of two weighted sums, over the calls that know both. #}
{% macro weighted_rates() -%}
        -- latency as an output token sees it: a long answer counts for more than a short one
        {{ ratio_of_sums('exact_duration_ms * output_tokens', 'output_tokens') }}
            as token_weighted_duration_ms,
        1000 * {{ ratio_of_sums('output_tokens', 'exact_duration_ms') }}
            as output_tokens_per_s,
        {{ ratio_of_sums('output_tokens', 'total_tokens') }} as token_efficiency_ratio,
        -- sources that report cache reads often leave out the zeros
        case
            when count(cache_read_tokens) > 0
                then {{ ratio_of_sums(
                    'least(coalesce(cache_read_tokens, 0), cacheable_tokens)', 'cacheable_tokens'
                ) }}
        end as cache_hit_ratio,
        count(packed_tokens) as n_packings,
        {{ ratio_of_sums('packed_tokens', 'input_tokens') }} as retrieval_prompt_ratio,
        count(dropped_document_count) as n_packed_documents,
        {{ ratio_of_sums('dropped_document_count', 'offered_document_count') }}
            as dropped_document_ratio,
{%- endmacro %}

{# One weighted sum by another, over the rows that know both; null when there is none. #}
{% macro ratio_of_sums(numerator, denominator) -%}
    {{ exact_sum(numerator, denominator) }} / nullif({{ exact_sum(denominator, numerator) }}, 0)
{%- endmacro %}

{# Weighted sum of an expression over the rows that know another one too. #}
{% macro exact_sum(expression, other) -%}
    cast(
        sum(cast({{ expression }} as decimal(24, 3)) * weight)
        filter (where ({{ other }}) is not null) as double
    )
{%- endmacro %}

{# Share of the evaluated calls with bad news, by what was asked. #}
{% macro evaluation_rates() -%}
        {%- for flag, name in {
            'is_refusal': 'refusal', 'is_malformed': 'malformed', 'is_toxic': 'toxicity',
            'is_ungrounded': 'ungrounded',
        }.items() %}
        count({{ flag }}) as n_{{ name }}_evaluations,
        {{ weighted_ratio(flag, flag ~ ' is not null') }} as {{ name }}_ratio,
        {%- endfor %}
{%- endmacro %}
