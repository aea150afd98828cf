{# A number of a policy, exact; null when the job passed none. #}
{% macro policy_number(name) -%}
    {%- set number = var(name) -%}
    cast({{ 'null' if number is none else "'" ~ number ~ "'" }} as decimal(18, 6))
{%- endmacro %}

{# A number of a policy that single values of a column may have of their own. #}
{% macro policy_number_by(name, column) -%}
    case
        {%- for value, number in var(name ~ '_by_service').items() %}
        when {{ column }} = '{{ value | replace("'", "''") }}'
            then cast('{{ number }}' as decimal(18, 6))
        {%- endfor %}
        when true then {{ policy_number(name) }}
    end
{%- endmacro %}
