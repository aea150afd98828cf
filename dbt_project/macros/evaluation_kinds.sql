{#
    What evaluations ask, by words in their names, and what the words of their labels mean. The
    range and direction of a score are the evaluator's: only scores of 0 to 1 are read.
#}

{# Kind, the words of a name that give it away, and whether 'true' or a high score is bad news. #}
{% macro evaluation_kinds() -%}
    {{ return([
        {'kind': 'refusal', 'words': ['refusal', 'refuse'], 'is_high_bad': true},
        {'kind': 'toxicity', 'words': ['toxic'], 'is_high_bad': true},
        {'kind': 'ungrounded', 'words': ['hallucinat', 'ungrounded'], 'is_high_bad': true},
        {'kind': 'ungrounded', 'words': ['grounded', 'faithful'], 'is_high_bad': false},
        {'kind': 'format', 'words': ['format_error', 'format error', 'schema_error'],
         'is_high_bad': true},
        {'kind': 'format', 'words': ['format', 'schema', 'json'], 'is_high_bad': false},
    ]) }}
{%- endmacro %}

{# Labels that are bad or good news whatever was asked. #}
{% macro bad_labels() -%}
    {{ return([
        'fail', 'failed', 'bad', 'invalid', 'refusal', 'refused', 'toxic', 'unsafe', 'hallucinated',
        'hallucination', 'ungrounded', 'not_grounded', 'unfaithful', 'malformed',
    ]) }}
{%- endmacro %}

{% macro good_labels() -%}
    {{ return([
        'pass', 'passed', 'good', 'ok', 'valid', 'no_refusal', 'not_refused', 'answered', 'complied',
        'non_toxic', 'not_toxic', 'safe', 'grounded', 'faithful', 'factual', 'well_formed',
    ]) }}
{%- endmacro %}

{# What people call an answer they liked, and one they did not. #}
{% macro liked_labels() -%}
    {{ return([
        'up', 'thumbs_up', 'thumbs-up', 'like', 'liked', 'positive', 'good', 'helpful', 'correct',
        'yes', 'true', 'pass',
    ]) }}
{%- endmacro %}

{% macro disliked_labels() -%}
    {{ return([
        'down', 'thumbs_down', 'thumbs-down', 'dislike', 'disliked', 'negative', 'bad', 'unhelpful',
        'not_helpful', 'incorrect', 'no', 'false', 'fail',
    ]) }}
{%- endmacro %}

{# A macro's list of texts as SQL literals. #}
{% macro quoted_list(texts) -%}
    '{{ texts | join("', '") }}'
{%- endmacro %}

{# A name in lower case, without the words in which "format" means something else. #}
{% macro evaluation_words(name) -%}
    replace(replace(lower({{ name }}), 'informat', ''), 'transformat', '')
{%- endmacro %}

{# What an evaluation of this name asks; null when none of the kinds. #}
{% macro evaluation_kind(name) -%}
    case
        {%- for each in evaluation_kinds() %}{% for word in each.words %}
        when {{ evaluation_words(name) }} like '%{{ word }}%' then '{{ each.kind }}'
        {%- endfor %}{% endfor %}
    end
{%- endmacro %}

{# Whether a high score of an evaluation of this name is bad news; null when none of the kinds. #}
{% macro is_high_score_bad(name) -%}
    case
        {%- for each in evaluation_kinds() %}{% for word in each.words %}
        when {{ evaluation_words(name) }} like '%{{ word }}%' then {{ each.is_high_bad | lower }}
        {%- endfor %}{% endfor %}
    end
{%- endmacro %}

{# Whether a label, else a score of 0 to 1, is bad news; null when that cannot be told. #}
{% macro is_bad_news(label, score, is_high_bad) -%}
    case
        when {{ is_high_bad }} is null then null
        when {{ label }} in ({{ quoted_list(bad_labels()) }}) then true
        when {{ label }} in ({{ quoted_list(good_labels()) }}) then false
        when {{ label }} in ('true', 'yes', '1') then {{ is_high_bad }}
        when {{ label }} in ('false', 'no', '0') then not {{ is_high_bad }}
        when {{ label }} is null and {{ score }} between 0 and 1
            then ({{ score }} >= 0.5) = {{ is_high_bad }}
    end
{%- endmacro %}

{# Whether a label in words says that somebody liked the answer; null when it says neither. #}
{% macro is_liked(label) -%}
    case
        when {{ label }} in ({{ quoted_list(liked_labels()) }}) then true
        when {{ label }} in ({{ quoted_list(disliked_labels()) }}) then false
    end
{%- endmacro %}
