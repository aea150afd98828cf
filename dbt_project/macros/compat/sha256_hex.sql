{# SHA-256 of a text's UTF-8 bytes, 64 lower-case hex digits; null for null. #}
{% macro sha256_hex(column) -%}
    {{ return(adapter.dispatch('sha256_hex', 'freezeline')(column)) }}
{%- endmacro %}

{% macro duckdb__sha256_hex(column) -%}
    sha256({{ column }})
{%- endmacro %}

{% macro spark__sha256_hex(column) -%}
    sha2({{ column }}, 256)
{%- endmacro %}
