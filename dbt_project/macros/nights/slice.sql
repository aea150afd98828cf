{#
    A night may build a slice: the job names the days it touches and the days it must read to do
    so, as the variable night_slice. Without it every model reads and writes all there is.
    touched: {axis: [dates]}, the days whose rows are written again;
    loaded: {lake table: [dates]}, the partitions that are read; others are read whole.
#}
{% macro is_slice() -%}
    {{ return(var('night_slice', none) is not none) }}
{%- endmacro %}

{# Dates as SQL literals, each once and in order. #}
{% macro date_literals(days) -%}
    {%- for day in days | unique | sort -%}
        date '{{ day }}'{% if not loop.last %}, {% endif %}
    {%- endfor -%}
{%- endmacro %}

{#
    Whether a date is one of some; never when there are none. Of the date of an instant it says
    between which instants it lies too: DuckDB skips row groups by the instant, not by its date.
#}
{% macro is_any_of_days(day, days) -%}
    {%- if days | length > 0 -%}
    {%- if day.startswith('cast(') and day.endswith(' as date)') -%}
    {%- set instant = day[5:-9] -%}
    {%- set after = modules.datetime.date.fromisoformat(days | map('string') | max)
        + modules.datetime.timedelta(days=1) -%}
    ({{ instant }} >= timestamptz '{{ days | map('string') | min }} 00:00:00+00'
    and {{ instant }} < timestamptz '{{ after }} 00:00:00+00'
    and {{ day }} in ({{ date_literals(days) }}))
    {%- else -%}
    {{ day }} in ({{ date_literals(days) }})
    {%- endif -%}
    {%- else -%}
    false
    {%- endif -%}
{%- endmacro %}

{# Whether the night writes the rows of a date again; always without a slice. #}
{% macro touched_rows(day, axes=['event']) -%}
    {%- set days = [] -%}
    {%- if is_slice() -%}
        {%- for axis in axes -%}{%- do days.extend(var('night_slice')['touched'][axis]) -%}{%- endfor -%}
        {{ is_any_of_days(day, days) }}
    {%- else -%}
    true
    {%- endif -%}
{%- endmacro %}

{# The same for a model that is materialized by_day, from its own configuration. #}
{% macro touched_rows_of(config) -%}
    {{ touched_rows(config.meta['day'], config.meta.get('axes', ['event'])) }}
{%- endmacro %}

{# Whether a date is among those whose spans the night reads; always without a slice. #}
{% macro loaded_rows(day) -%}
    {%- if is_slice() -%}
    {{ is_any_of_days(day, var('night_slice')['loaded']['spans']) }}
    {%- else -%}
    true
    {%- endif -%}
{%- endmacro %}

{# Data tests of a slice look at the rows that the night wrote; a full build's at all of them. #}
{% macro get_where_subquery(relation) -%}
    {%- set node = (graph.nodes if execute else {}).get('model.freezeline.' ~ relation.identifier) -%}
    {%- set own = config.get('where', '') -%}
    {%- set is_cut = is_slice() and node and node.config.materialized == 'by_day' -%}
    {%- set conditions = ([own] if own else []) + ([touched_rows_of(node.config)] if is_cut else []) -%}
    {%- if conditions -%}
        {%- set filtered -%}
            (select * from {{ relation }} where ({{ conditions | join(') and (') }})) dbt_subquery
        {%- endset -%}
        {{ return(filtered) }}
    {%- endif -%}
    {{ return(relation) }}
{%- endmacro %}
