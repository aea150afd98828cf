{#
    Relations are written without the database name. A view that names its database stops working
    in a published snapshot, whose file, and therefore whose database, has another name.
#}
{% macro ref() -%}
    {{ return(builtins.ref(*varargs, **kwargs).include(database=false)) }}
{%- endmacro %}

{% macro source() -%}
    {{ return(builtins.source(*varargs, **kwargs).include(database=false)) }}
{%- endmacro %}
