{#
    Weighted quantiles of several columns at once, as CTEs that end in one named quantiles. Like
    weighted_quantile of weighted.sql, but every known value is a row of its own first, so that one
    sort serves all columns and unknown values cost nothing.
#}
{% macro call_quantiles() -%}
{%- set branches = [] -%}
{%- for column in call_quantile_columns() -%}
    {%- do branches.append({
        'measure': "'" ~ column ~ "'", 'measured': 'cast(' ~ column ~ ' as double)',
    }) -%}
{%- endfor -%}
known_values as (
    {{ multiplied('calls', branches, ['call_statistics_key', 'weight'], known='measured') }}
),

placed as (
    select
        *,
        cast(
            sum(weight) over (
                partition by call_statistics_key, measure
                order by measured asc, weight asc
                rows between unbounded preceding and current row
            ) - weight as double
        ) as measured_weight_before,
        cast(
            sum(weight) over (partition by call_statistics_key, measure) as double
        ) as measured_weight_total
    from known_values
),

measured_quantiles as (
    select
        call_statistics_key,
        measure,
        {%- for fraction in call_quantile_columns().values() | sum(start=[]) | unique | sort %}
        {{ weighted_quantile('measured', fraction) }} as q{{ (fraction * 100) | round | int }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from placed
    group by call_statistics_key, measure
),

quantiles as (
    select
        {%- for column, fractions in call_quantile_columns().items() %}{% for fraction in fractions %}
        max(q{{ (fraction * 100) | round | int }}) filter (where measure = '{{ column }}')
            as {{ quantile_name(column, fraction) }},
        {%- endfor %}{% endfor %}
        call_statistics_key
    from measured_quantiles
    group by call_statistics_key
)
{%- endmacro %}
