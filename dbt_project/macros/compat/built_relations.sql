{# What a schema holds, as pairs of name and kind ('table' or 'view'). #}
{% macro built_relations(database, schema) -%}
    {{ return(adapter.dispatch('built_relations', 'freezeline')(database, schema)) }}
{%- endmacro %}

{% macro duckdb__built_relations(database, schema) -%}
    {%- set query -%}
        select
            table_name,
            case when table_type = 'VIEW' then 'view' else 'table' end as kind
        from information_schema.tables
        where
            table_catalog = '{{ database }}'
            and table_schema = '{{ schema }}'
        order by table_name
    {%- endset -%}
    {%- set found = [] -%}
    {%- for row in run_query(query).rows -%}
        {%- do found.append((row[0], row[1])) -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}

{% macro spark__built_relations(database, schema) -%}
    {%- set views = [] -%}
    {%- for row in run_query('show views in ' ~ schema).rows -%}
        {%- do views.append(row['viewName']) -%}
    {%- endfor -%}
    {%- set found = [] -%}
    {%- for row in run_query('show tables in ' ~ schema).rows if not row['isTemporary'] -%}
        {%- do found.append((row['tableName'], 'view' if row['tableName'] in views else 'table')) -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}
