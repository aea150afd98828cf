{# Rows with a ratio outside [0, 1]; null is not outside. One query for all ratios of a model. #}
{% test ratios_in_range(model, columns) %}
select {{ columns | join(', ') }}
from {{ model }}
where
    false
    {%- for column in columns %}
    or {{ column }} < 0 or {{ column }} > 1
    {%- endfor %}
{% endtest %}
