{# Rows of a lake table, a folder of Parquet files written by landing. #}
{% macro read_lake(table_name) -%}
    {{ return(adapter.dispatch('read_lake', 'freezeline')(table_name)) }}
{%- endmacro %}

{# On DuckDB the source's external_location is the read (models/staging/*/_*__sources.yml). #}
{% macro duckdb__read_lake(table_name) -%}
    {{ source('lake', table_name) }}
{%- endmacro %}

{% macro spark__read_lake(table_name) -%}
    {#- The call keeps the lineage edge that the path cannot express. -#}
    {%- do source('lake', table_name) -%}
    parquet.`{{ var('lake_dir') }}/{{ table_name }}`
{%- endmacro %}
