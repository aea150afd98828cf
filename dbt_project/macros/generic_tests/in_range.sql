{# Rows with a value outside [minimum, maximum]; null is not outside. Of one column, or of many in one query. #}
{% test in_range(model, column_name=none, columns=none, minimum=none, maximum=none) %}
{%- set tested = columns or [column_name] %}
select {{ tested | join(', ') }}
from {{ model }}
where
    false
    {%- for column in tested %}
    {%- if minimum is not none %}
    or {{ column }} < {{ minimum }}
    {%- endif %}
    {%- if maximum is not none %}
    or {{ column }} > {{ maximum }}
    {%- endif %}
    {%- endfor %}
{% endtest %}
