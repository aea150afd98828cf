{#
    How a mart is kept of which one new row may change rows of any day: as a view in the DuckDB
    file, whose nights build slices. Another target builds every night whole, and its marts are
    copied from there, so it keeps a table.
#}
{% macro history_view() -%}
    {{ return('view' if target.name == 'duckdb' else 'table') }}
{%- endmacro %}
