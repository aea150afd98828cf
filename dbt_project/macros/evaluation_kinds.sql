{# What evaluations ask and what their labels mean, by config/evaluations.yml; the job passes it. #}

{# A list of the policy as SQL literals. #}
{% macro labels(name) -%}
    {%- set texts = var('evaluations').get(name, []) -%}
    {{ "'" ~ (texts | join("', '")) ~ "'" }}
{%- endmacro %}

{# A name in lower case, without the parts in which words mean something else. #}
{% macro evaluation_words(name) -%}
    {%- set plain = namespace(sql='lower(' ~ name ~ ')') -%}
    {%- for part in var('evaluations').get('not_words', []) -%}
        {%- set plain.sql = "replace(" ~ plain.sql ~ ", '" ~ part ~ "', '')" -%}
    {%- endfor -%}
    {{ plain.sql }}
{%- endmacro %}

{# The value of the first kind of which a name holds a word; null when none of them. #}
{% macro _of_first_kind(name, key) -%}
    case
        {%- for each in var('evaluations').get('kinds', []) %}{% for word in each.words %}
        when {{ evaluation_words(name) }} like '%{{ word }}%'
            then {{ "'" ~ each[key] ~ "'" if each[key] is string else each[key] | lower }}
        {%- endfor %}{% endfor %}
        when false then null
    end
{%- endmacro %}

{# What an evaluation of this name asks; null when none of the kinds. #}
{% macro evaluation_kind(name) -%}
    {{ _of_first_kind(name, 'kind') }}
{%- endmacro %}

{# Whether a high score of an evaluation of this name is bad news; null when none of the kinds. #}
{% macro is_high_score_bad(name) -%}
    {{ _of_first_kind(name, 'is_high_bad') }}
{%- endmacro %}

{# Whether a label, else a score of 0 to 1, is bad news; null when that cannot be told. #}
{% macro is_bad_news(label, score, is_high_bad) -%}
    case
        when {{ is_high_bad }} is null then null
        when {{ label }} in ({{ labels('bad_labels') }}) then true
        when {{ label }} in ({{ labels('good_labels') }}) then false
        when {{ label }} in ('true', 'yes', '1') then {{ is_high_bad }}
        when {{ label }} in ('false', 'no', '0') then not {{ is_high_bad }}
        when {{ label }} is null and {{ score }} between 0 and 1
            then ({{ score }} >= 0.5) = {{ is_high_bad }}
    end
{%- endmacro %}

{# Whether a label in words says that somebody liked the answer; null when it says neither. #}
{% macro is_liked(label) -%}
    case
        when {{ label }} in ({{ labels('liked_labels') }}) then true
        when {{ label }} in ({{ labels('disliked_labels') }}) then false
    end
{%- endmacro %}
