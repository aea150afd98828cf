{#
    Run before a build. DuckDB reads Parquet where it lies and keeps the judgement tables beside
    the marts. Spark needs a table over each folder of files; it holds no rows of its own.
#}
{% macro prepare_sources() -%}
    {{ return(adapter.dispatch('prepare_sources', 'freezeline')()) }}
{%- endmacro %}

{% macro duckdb__prepare_sources() -%}{%- endmacro %}

{% macro spark__prepare_sources() -%}
    {%- set folders = {'lake': var('lake_dir'), 'judgement': var('judgement_dir')} -%}
    {%- for node in (graph.sources.values() if execute else []) %}
        {%- set schema = adapter.quote(node.schema) -%}
        {%- set table = schema ~ '.' ~ adapter.quote(node.name) -%}
        {%- do run_query('create schema if not exists ' ~ schema) -%}
        {%- do run_query('drop table if exists ' ~ table) -%}
        {%- do run_query(
            'create table ' ~ table ~ " using parquet options (path '"
            ~ folders[node.source_name] | replace("'", "\\'") ~ '/' ~ node.name
            ~ "', recursiveFileLookup 'true', mergeSchema 'true')"
        ) -%}
    {%- endfor %}
{%- endmacro %}
