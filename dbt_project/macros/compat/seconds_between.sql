{# Seconds from one instant to another, with fractions; negative when the end comes first. #}
{% macro seconds_between(start_at, end_at) -%}
    {{ return(adapter.dispatch('seconds_between', 'freezeline')(start_at, end_at)) }}
{%- endmacro %}

{% macro duckdb__seconds_between(start_at, end_at) -%}
    (epoch_us({{ end_at }}) - epoch_us({{ start_at }})) / cast(1000000 as double)
{%- endmacro %}

{% macro spark__seconds_between(start_at, end_at) -%}
    (unix_micros({{ end_at }}) - unix_micros({{ start_at }})) / cast(1000000 as double)
{%- endmacro %}
