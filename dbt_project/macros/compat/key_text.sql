{# A value as the text that keys are made of: the same on every engine. #}
{% macro key_text(column) -%}
    {{ return(adapter.dispatch('key_text', 'freezeline')(column)) }}
{%- endmacro %}

{% macro duckdb__key_text(column) -%}
    cast({{ column }} as string)
{%- endmacro %}

{# Spark writes an instant without its zone, which is UTC. #}
{% macro spark__key_text(column) -%}
    (cast({{ column }} as string) || case when typeof({{ column }}) = 'timestamp' then '+00' else '' end)
{%- endmacro %}
