{# What a call was asked for, which is what outcomes judge: its request, else its trace. #}
{% macro asked_id(calls) -%}
    coalesce({{ calls }}.request_id, {{ calls }}.trace_id)
{%- endmacro %}

{#
    Whether a record of a fact would have named a call: it has an id by which the fact is delivered
    (delivered_by of config/facts/). Without one, no record means that nobody knows.
#}
{% macro would_be_recorded(fact, calls) -%}
    {%- set columns = {
        'request_id': 'request_id', 'run_id': 'trace_id', 'conversation_id': 'session_key'
    } -%}
    {%- set ids = var('outcomes_delivered_by').get(fact, ['request_id']) -%}
    {%- for id in ids -%}
        {{ calls }}.{{ columns[id] }} is not null{% if not loop.last %} or {% endif %}
    {%- endfor -%}
{%- endmacro %}
