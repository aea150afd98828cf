{# The one value a column has in a group; null when the group disagrees or has none. #}
{% macro only_value(column) -%}
    case when min({{ column }}) = max({{ column }}) then max({{ column }}) end
{%- endmacro %}

{# Whether any row of a group fulfils the condition; an unknown one does not. #}
{% macro is_any(condition) -%}
    max(case when {{ condition }} then 1 else 0 end) = 1
{%- endmacro %}

{# Sum of a column over a group; null when one of its rows does not know it. #}
{% macro sum_if_all_known(column, type) -%}
    case when count(*) = count({{ column }}) then cast(sum({{ column }}) as {{ type }}) end
{%- endmacro %}
