{#
    Our key of a row: the MD5 of its identifying columns. Each value is prefixed by its length, so
    that ('ab', 'c') and ('a', 'bc') differ, and null differs from the empty text.
#}
{% macro surrogate_key(columns) -%}
    md5(
        {%- for column in columns %}
        coalesce(length({{ key_text(column) }}) || ':' || {{ key_text(column) }}, '-')
        {%- if not loop.last %} || '|' ||{% endif %}
        {%- endfor %}
    )
{%- endmacro %}
