{# A relation of the models whose code reads a clock, from dbt's own graph; one null row if none. #}
{% macro wall_clock_readers() -%}
    {%- set clock = modules.re.compile(
        '\\b(now\\s*\\(|current_(date|time|timestamp)|get_current_timestamp|localtimestamp'
        ~ '|today\\s*\\(|run_started_at)',
        modules.re.IGNORECASE
    ) -%}
    select cast(null as string) as model_name
    {%- for node in (graph.nodes.values() if execute else []) if node.resource_type == 'model' %}
        {#- comments go first, or a comment about the rule would break it -#}
        {%- set code = modules.re.sub('--[^\\n]*', '', node.raw_code) -%}
        {%- if clock.search(code) %}
    union all
    select '{{ node.name }}' as model_name
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}
