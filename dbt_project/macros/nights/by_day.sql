{#
    A table that keeps its days and replaces those that a night touches.

    meta: {day: the date of a row, axes: whose days are replaced, ['event'] by default}. Without a
    slice (macros/nights/slice.sql) the table is made again as a whole, which gives the same rows:
    a night's planner names every day whose rows may differ.
#}
{% materialization by_day, adapter='duckdb' %}
    {%- set existing = load_cached_relation(this) -%}
    {%- if not is_slice() -%}
        {{ return(materialization_table_duckdb()) }}
    {%- endif -%}
    {%- if existing is none or not existing.is_table -%}
        {%- do exceptions.raise_compiler_error(
            this ~ ' is not there yet: build without night_slice'
        ) -%}
    {%- endif -%}
    {%- set target = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% call statement('main') %}
        delete from {{ target }} where {{ touched_rows_of(model.config) }};
        insert into {{ target }} by name
        select * from (
            {{ compiled_code }}
        ) as fresh
        where {{ touched_rows_of(model.config) }}
    {% endcall %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{# Elsewhere every night builds the whole table (docs/decisions/0012). #}
{% materialization by_day, default %}
    {{ return(context['materialization_table_' ~ adapter.type()]()) }}
{% endmaterialization %}
