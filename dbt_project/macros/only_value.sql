{# The one value a column has in a group; null when the group disagrees or has none. #}
{% macro only_value(column) -%}
    case when min({{ column }}) = max({{ column }}) then max({{ column }}) end
{%- endmacro %}
