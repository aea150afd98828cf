{#
    Every row of a relation once per branch: a branch's own columns, by name, beside the kept ones.
    Where `known` names a branch's column, rows that do not know it are left out.
#}
{% macro multiplied(relation, branches, kept, known=none) -%}
    {{ return(adapter.dispatch('multiplied', 'freezeline')(relation, branches, kept, known)) }}
{%- endmacro %}

{% macro duckdb__multiplied(relation, branches, kept, known) -%}
    {%- for branch in branches %}
    select
        {%- for name, expression in branch.items() %}
        {{ expression }} as {{ name }},
        {%- endfor %}
        {{ kept | join(', ') }}
    from {{ relation }}
    {%- if known %}
    where {{ branch[known] }} is not null
    {%- endif %}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{%- endmacro %}

{# Spark computes a relation again for each branch of a union; stack reads it once. #}
{% macro spark__multiplied(relation, branches, kept, known) -%}
    select *
    from (
        select
            {{ kept | join(', ') }},
            stack(
                {{ branches | length }}
                {%- for branch in branches %}{% for expression in branch.values() %},
                {{ expression }}
                {%- endfor %}{% endfor %}
            ) as ({{ branches[0].keys() | join(', ') }})
        from {{ relation }}
    ) as stacked
    {%- if known %}
    where {{ known }} is not null
    {%- endif %}
{%- endmacro %}
