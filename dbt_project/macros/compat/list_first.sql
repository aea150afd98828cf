{# First element of a list; null when the list is null or empty. #}
{% macro list_first(column) -%}
    {{ return(adapter.dispatch('list_first', 'freezeline')(column)) }}
{%- endmacro %}

{% macro duckdb__list_first(column) -%}
    {{ column }}[1]
{%- endmacro %}

{% macro spark__list_first(column) -%}
    get({{ column }}, 0)
{%- endmacro %}
