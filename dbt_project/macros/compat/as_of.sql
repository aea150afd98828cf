{# Exclusive end of what is known, as a literal of the engine's instant type. #}
{% macro as_of() -%}
    {%- set as_of = var('as_of') -%}
    {%- if execute and as_of is none -%}
        {%- do exceptions.raise_compiler_error(
            "as_of is not set: build through the nightly, or pass --vars "
            ~ "'{as_of: \"2026-10-14T00:00:00+00:00\"}'"
        ) -%}
    {%- endif -%}
    cast('{{ as_of }}' as {{ type_instant() }})
{%- endmacro %}

{# The type of a point in time; sessions run in UTC on both engines. #}
{% macro type_instant() -%}
    {{ return(adapter.dispatch('type_instant', 'freezeline')()) }}
{%- endmacro %}

{% macro duckdb__type_instant() -%}timestamptz{%- endmacro %}

{% macro spark__type_instant() -%}timestamp{%- endmacro %}
