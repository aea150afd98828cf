{# Exact interpolated quantile of the non-null values; null when there is none. #}
{% macro exact_quantile(column, fraction) -%}
    {{ return(adapter.dispatch('exact_quantile', 'freezeline')(column, fraction)) }}
{%- endmacro %}

{% macro duckdb__exact_quantile(column, fraction) -%}
    quantile_cont({{ column }}, {{ fraction }})
{%- endmacro %}

{% macro spark__exact_quantile(column, fraction) -%}
    percentile({{ column }}, {{ fraction }})
{%- endmacro %}
