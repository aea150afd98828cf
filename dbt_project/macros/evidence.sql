{#
    What the canned questions share: their windows end at as_of, a group answers only with enough
    rows, and a rise counts only when chance does not explain it.
#}

{# The instant so many days before as_of. #}
{% macro days_before_as_of(days) -%}
    {{ as_of() }} - interval {{ days }} day
{%- endmacro %}

{# Whether so many rows are enough for an answer. #}
{% macro is_enough(sample_size) -%}
    {{ sample_size }} >= {{ var('min_evidence_count') }}
{%- endmacro %}

{# A statistic where its rows are enough; null elsewhere, and its n_ column says why. #}
{% macro if_enough(sample_size, statistic) -%}
    case when {{ is_enough(sample_size) }} then {{ statistic }} end
{%- endmacro %}

{# Weighted share of the things that fulfil `among` which fulfil `condition`; null without any. #}
{% macro weighted_ratio(condition, among) -%}
    {{ weighted_count('(' ~ condition ~ ') and (' ~ among ~ ')') }}
    / nullif({{ weighted_count(among) }}, 0)
{%- endmacro %}

{# How many unweighted rows say as much as the weighted ones (Kish); 0 without rows. #}
{% macro effective_count(condition) -%}
    coalesce(
        power(cast(sum(weight) filter (where {{ condition }}) as double), 2)
        / cast(sum(weight * weight) filter (where {{ condition }}) as double),
        cast(0 as double)
    )
{%- endmacro %}

{#
    How many standard errors one share lies above another, from both shares and their effective
    sample sizes (two proportions, pooled). 0 when all or none of the rows fulfil the condition.
#}
{% macro ratio_rise_score(ratio, effective, base_ratio, base_effective) -%}
    {%- set pooled -%}
        ({{ ratio }} * {{ effective }} + {{ base_ratio }} * {{ base_effective }})
        / ({{ effective }} + {{ base_effective }})
    {%- endset -%}
    {#- rounding errors may push a pooled share past its ends -#}
    case
        when {{ ratio }} is null or {{ base_ratio }} is null then null
        else coalesce(
            ({{ ratio }} - {{ base_ratio }})
            / nullif(sqrt(
                greatest({{ pooled }} * (1 - ({{ pooled }})), cast(0 as double))
                * (1 / {{ effective }} + 1 / {{ base_effective }})
            ), 0),
            cast(0 as double)
        )
    end
{%- endmacro %}

{# The answer to a yes/no question: insufficient_evidence before anything else. #}
{% macro answer_of(condition, sample_sizes) -%}
    case
        when
        {%- for sample_size in sample_sizes %}
            not ({{ is_enough(sample_size) }}){% if not loop.last %} or{% endif %}
        {%- endfor %}
            then 'insufficient_evidence'
        when {{ condition }} then 'yes'
        else 'no'
    end
{%- endmacro %}
