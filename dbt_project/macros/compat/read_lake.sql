{# Rows of a lake table, a folder of Parquet files written by landing. #}
{% macro read_lake(table_name) -%}
    {{ return(adapter.dispatch('read_lake', 'freezeline')(table_name)) }}
{%- endmacro %}

{#
    On DuckDB the source's external_location is the read (models/staging/_lake__sources.yml), except
    in a shared DuckLake, where machines have put their rows into tables. A slice
    (macros/nights/slice.sql) reads the partitions it needs, and one file that has the columns.
#}
{% macro duckdb__read_lake(table_name) -%}
    {%- set days = var('night_slice')['loaded'].get(table_name) if is_slice() -%}
    {%- set lake = source('lake', table_name) -%}
    {%- if target.name == 'shared' -%}
    lake.{{ table_name }}
    {%- elif days is none or not is_slice() -%}
    {{ lake }}
    {%- else -%}
    {%- set folder = (var('lake_dir') ~ '/' ~ table_name) | replace("'", "''") -%}
    read_parquet([
        '{{ folder }}/schema_only.parquet'
        {%- for day in days -%}, '{{ folder }}/dt={{ day }}/*.parquet'{%- endfor -%}
    ], hive_partitioning = false, union_by_name = true)
    {%- endif -%}
{%- endmacro %}

{# prepare_sources has made a table over the folder. #}
{% macro spark__read_lake(table_name) -%}
    {{ source('lake', table_name) }}
{%- endmacro %}
