{# How many of the columns hold a value: the measure of how rich a delivered copy is. #}
{% macro non_null_count(columns) -%}
    (
        {%- for column in columns %}
        case when {{ column }} is null then 0 else 1 end{% if not loop.last %} +{% endif %}
        {%- endfor %}
    )
{%- endmacro %}
