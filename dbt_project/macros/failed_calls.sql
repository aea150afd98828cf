{#
    Whether a span failed: it says so, or it names an error and leaves its status unset. OpenTelemetry
    has instrumentations set error.type only when the operation ended in one.
#}
{% macro is_failed(spans) -%}
    ({{ spans }}.status = 'error'
    or ({{ spans }}.status = 'unset' and {{ spans }}.error_class is not null))
{%- endmacro %}

{#
    Why a failed call without tokens costs nothing; null when it may cost something. What began to
    answer has used tokens, and some classes of failures may be billed whatever their status.
#}
{% macro not_billed_reason(calls) -%}
    case
        when
            not {{ calls }}.is_error
            or {{ calls }}.input_tokens is not null
            or {{ calls }}.output_tokens is not null
            or {{ calls }}.ttft_ms is not null
            or {{ _is_listed(calls ~ '.told_error_class', 'maybe_billed_error_classes') }}
            then null
        when {{ _is_listed(calls ~ '.told_http_status_code', 'not_billed_http_statuses') }}
            then 'not billed: HTTP ' || cast({{ calls }}.told_http_status_code as {{ dbt.type_string() }})
        when {{ _is_listed(calls ~ '.told_error_class', 'not_billed_error_classes') }}
            then 'not billed: ' || {{ calls }}.told_error_class
    end
{%- endmacro %}

{# Whether a column has one of the values of a list of a policy. #}
{% macro _is_listed(column, variable) -%}
    {%- set literals = [] -%}
    {%- for value in var(variable) -%}
        {%- do literals.append(value if value is number else "'" ~ value ~ "'") -%}
    {%- endfor -%}
    {{ 'coalesce(' ~ column ~ ' in (' ~ (literals | join(', ')) ~ '), false)' if literals else 'false' }}
{%- endmacro %}
