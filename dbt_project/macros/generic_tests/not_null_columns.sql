{# Rows of which a column is unknown. One query for all such columns of a model. #}
{% test not_null_columns(model, columns) %}
select {{ columns | join(', ') }}
from {{ model }}
where
    false
    {%- for column in columns %}
    or {{ column }} is null
    {%- endfor %}
{% endtest %}
