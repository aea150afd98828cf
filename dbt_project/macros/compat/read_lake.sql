{# Rows of a lake table, a folder of Parquet files written by landing. #}
{% macro read_lake(table_name) -%}
    {{ return(adapter.dispatch('read_lake', 'freezeline')(table_name)) }}
{%- endmacro %}

{#
    On DuckDB the source's external_location is the read (models/staging/_lake__sources.yml), except
    in a shared DuckLake, where machines have put their rows into tables.
#}
{% macro duckdb__read_lake(table_name) -%}
    {%- set relation = source('lake', table_name) -%}
    {{ 'lake.' ~ table_name if target.name == 'shared' else relation }}
{%- endmacro %}

{# prepare_sources has made a table over the folder. #}
{% macro spark__read_lake(table_name) -%}
    {{ source('lake', table_name) }}
{%- endmacro %}
