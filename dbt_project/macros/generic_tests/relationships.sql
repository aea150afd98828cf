{# Rows whose value is no parent's. Parents of a slice's rows lie in the days that it loads. #}
{% test relationships(model, column_name, to, field) %}
{%- set parent = (graph.nodes if execute else {}).get('model.freezeline.' ~ to.identifier) %}
select children.{{ column_name }}
from (select * from {{ model }}) as children
left join (
    select {{ field }} as parent_field
    from {{ to }}
    {%- if parent and parent.config.materialized == 'by_day' %}
    where {{ loaded_rows(parent.config.meta['day']) }}
    {%- endif %}
) as parents on children.{{ column_name }} = parents.parent_field
where children.{{ column_name }} is not null and parents.parent_field is null
{% endtest %}
