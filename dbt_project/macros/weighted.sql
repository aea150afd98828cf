{#
    Statistics of sampled rows. A row stands for sample_weight calls; weights are decimals of six
    places, so that sums are exact and do not depend on the order in which rows are added.
#}

{# The weight of a row as an exact number. #}
{% macro exact_weight(column='sample_weight') -%}
    cast({{ column }} as decimal(18, 6))
{%- endmacro %}

{# How many things the rows that fulfil the condition stand for. #}
{% macro weighted_count(condition) -%}
    cast(coalesce(sum(weight) filter (where {{ condition }}), 0) as double)
{%- endmacro %}

{# Sum of a whole number over the things the rows stand for; null when no row knows it. #}
{% macro weighted_sum(column) -%}
    cast(round(sum(cast({{ column }} as decimal(18, 0)) * weight)) as bigint)
{%- endmacro %}

{# Mean of a whole number over the things the rows stand for; null when no row knows it. #}
{% macro weighted_mean(column) -%}
    cast(sum(cast({{ column }} as decimal(18, 0)) * weight) as double)
    / cast(sum(weight) filter (where {{ column }} is not null) as double)
{%- endmacro %}

{# Two columns that weighted_quantile needs: the weight before a row, and all of its group's. #}
{% macro quantile_places(column, partition) -%}
    cast(
        sum(case when {{ column }} is not null then weight end) over (
            partition by {{ partition | join(', ') }}
            order by {{ column }} asc nulls last, weight asc
            rows between unbounded preceding and current row
        ) - weight as double
    ) as {{ column }}_weight_before,
    cast(
        sum(case when {{ column }} is not null then weight end) over (
            partition by {{ partition | join(', ') }}
        ) as double
    ) as {{ column }}_weight_total
{%- endmacro %}

{#
    Interpolated quantile of the non-null values, each counted as often as its weight says; null
    when there is none. Whole weights give what the repeated rows would, weights of 1 the ordinary
    quantile. Needs quantile_places of the column. The same SQL on every engine.
#}
{% macro weighted_quantile(column, fraction) -%}
    {%- set before = column ~ '_weight_before' -%}
    {%- set place = fraction ~ ' * (' ~ column ~ '_weight_total - 1)' -%}
    {%- set is_known = column ~ ' is not null and ' -%}
    {%- set low = 'max(' ~ column ~ ') filter (where ' ~ is_known ~ before ~ ' <= ' ~ place ~ ')' -%}
    {%- set high = 'min(' ~ column ~ ') filter (where ' ~ is_known ~ before ~ ' > ' ~ place ~ ')' -%}
    {%- set next = 'min(' ~ before ~ ') filter (where ' ~ is_known ~ before ~ ' > ' ~ place ~ ')' -%}
    {{ low }}
    + coalesce(
        ({{ high }} - {{ low }})
        * greatest(max({{ place }}) - ({{ next }} - 1), cast(0 as double)),
        cast(0 as double)
    )
{%- endmacro %}
