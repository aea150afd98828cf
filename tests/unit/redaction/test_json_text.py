"""Strings, keys and documents inside JSON."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from include.freezeline.redaction.engine import DROPPED_TEXT, Redactor

_MAIL = "jane@example.org"
_leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([_MAIL, "x", "a\nb"]),
    st.text(max_size=8),
)
_documents = st.recursive(
    _leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["a", "b", _MAIL, "content"]), inner, max_size=4)
    ),
    max_leaves=12,
)


def _redacted(redactor: Redactor, document: Any) -> Any:
    return json.loads(redactor.redact_json(json.dumps(document)).text)


def test_strings_and_keys_are_redacted_when_nested(redactor: Redactor) -> None:
    document = {"messages": [{"content": f"write {_MAIL}", _MAIL: 1}], "n": 3}
    assert _redacted(redactor, document) == {
        "messages": [{"content": "write <EMAIL_1>", "<EMAIL_1>": 1}],
        "n": 3,
    }


def test_json_inside_a_string_is_redacted_inside(redactor: Redactor) -> None:
    inner = json.dumps({"note": f"line\n4000 0076 1895 8554\n{_MAIL}"})
    result = _redacted(redactor, {"arguments": inner})
    assert json.loads(result["arguments"]) == {"note": "line\n<CARD_1>\n<EMAIL_1>"}


def test_document_is_returned_byte_for_byte_when_nothing_is_found(redactor: Redactor) -> None:
    text = '{ "a" : [1, 2.50, "plain \\u00e9"] }'
    assert redactor.redact_json(text).text == text


def test_card_is_redacted_when_it_is_a_number(redactor: Redactor) -> None:
    assert _redacted(redactor, {"pan": 4000007618958554, "id": 1760000000000000}) == {
        "pan": "<CARD_1>",
        "id": 1760000000000000,
    }


def test_value_is_redacted_when_its_key_tells_what_it_is(redactor: Redactor) -> None:
    document = {
        "db_password": "hunter2-horse9",
        "phone": "4155550105",
        "date_of_birth": "1985-04-12",
    }
    assert _redacted(redactor, document) == {
        "db_password": "<PASSWORD_1>",
        "phone": "<PHONE_1>",
        "date_of_birth": "<DATE_OF_BIRTH_1>",
    }


def test_hidden_value_is_gone_when_a_key_is_repeated(redactor: Redactor) -> None:
    text = f'{{"a": "{_MAIL}", "a": "plain"}}'
    assert _MAIL not in redactor.redact_json(text).text


def test_result_is_json_when_the_input_is_not(redactor: Redactor) -> None:
    assert json.loads(redactor.redact_json(f"not json, {_MAIL}").text) == "not json, <EMAIL_1>"


@pytest.mark.parametrize("depth", [200, 100_000])
def test_document_is_dropped_when_nested_too_deeply(redactor: Redactor, depth: int) -> None:
    redacted = redactor.redact_json("[" * depth + "]" * depth)
    assert redacted.is_dropped
    assert json.loads(redacted.text) == DROPPED_TEXT


@hypothesis_settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(_documents)
def test_no_value_remains_and_redacting_again_changes_nothing(
    redactor: Redactor, document: Any
) -> None:
    once = redactor.redact_json(json.dumps(document)).text
    assert _MAIL not in once
    assert redactor.redact_json(once).text == once
