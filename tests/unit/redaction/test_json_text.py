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
        | st.dictionaries(
            st.sampled_from(["a", "b", _MAIL, "content", "phone", "cardId"]), inner, max_size=4
        )
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


@pytest.mark.parametrize(
    "key",
    ["api_key", "secret_key", "private_key", "aws_secret_access_key", "apiKey", "clientSecret"],
)
def test_secret_is_redacted_when_only_its_key_says_so(redactor: Redactor, key: str) -> None:
    assert _redacted(redactor, {key: "d41d8cd98f00b204"}) == {key: "<PASSWORD_1>"}
    assert _redacted(redactor, {key: ["d41d8cd98f00b204"]}) == {key: ["<PASSWORD_1>"]}


@pytest.mark.parametrize(
    ("document", "redacted"),
    [
        ({"phone": 4155550105}, {"phone": "<PHONE_1>"}),
        ({"phone": 4155550105.0}, {"phone": "<PHONE_1>"}),
        ({"phone": ["4155550105"]}, {"phone": ["<PHONE_1>"]}),
        ({"phone": {"number": "4155550105"}}, {"phone": {"number": "<PHONE_1>"}}),
        ({"phone": [{"number": 4155550105}]}, {"phone": [{"number": "<PHONE_1>"}]}),
        ({"phone": '["4155550105"]'}, {"phone": '["<PHONE_1>"]'}),
        ({"password": ["hunter2-horse9"]}, {"password": ["<PASSWORD_1>"]}),
        ({"phoneNumber": "4155550105"}, {"phoneNumber": "<PHONE_1>"}),
        ({"phonenumber": "4155550105"}, {"phonenumber": "<PHONE_1>"}),
        ({"mobileNumber": 4155550105}, {"mobileNumber": "<PHONE_1>"}),
        ({"user.phone": "4155550105"}, {"user.phone": "<PHONE_1>"}),
        ({"dob": ["1985-04-12"]}, {"dob": ["<DATE_OF_BIRTH_1>"]}),
        ({"birth": {"date": "1985-04-12"}}, {"birth": {"date": "<DATE_OF_BIRTH_1>"}}),
        ({"card": "630427373398"}, {"card": "<CARD_1>"}),
        ({"cc": 630427373398}, {"cc": "<CARD_1>"}),
        ({"cardNumber": "630427373398"}, {"cardNumber": "<CARD_1>"}),
        ({"card": 4111111111111111.0}, {"card": "<CARD_1>"}),
        ({"ssn": 123177117}, {"ssn": "<US_SSN_1>"}),
        ({"dob": 19840312}, {"dob": "<DATE_OF_BIRTH_1>"}),
        ({"date_of_birth": "12 March 1984"}, {"date_of_birth": "<DATE_OF_BIRTH_1>"}),
        ({"name": "phone", "value": "4155550105"}, {"name": "phone", "value": "<PHONE_1>"}),
        ({"value": 123177117, "key": "ssn"}, {"value": "<US_SSN_1>", "key": "ssn"}),
        (
            [{"key": "user.phone", "value": {"stringValue": "4155550105"}}],
            [{"key": "user.phone", "value": {"stringValue": "<PHONE_1>"}}],
        ),
        ({"type": "mobile", "number": "4155550105"}, {"type": "mobile", "number": "<PHONE_1>"}),
        ({"a": '{"password": "hunter2-horse9"}'}, {"a": '{"password":"<PASSWORD_1>"}'}),
    ],
)
def test_value_is_redacted_when_a_key_above_tells_what_it_is(
    redactor: Redactor, document: Any, redacted: Any
) -> None:
    assert _redacted(redactor, document) == redacted


@pytest.mark.parametrize(
    "document",
    [
        {"id": 4155550105, "trace_id": "4155550105", "request_id": 630427373398},
        {"count": 4155550105, "tokens": 4155550105, "created_at": 1760000000, "epoch": 1760000000},
        {"phone_id": 4155550105, "card_verified_at": 1760000000000, "phoneCount": 4155550105},
        {"phone": {"id": "4155550105", "verified_at": 1760000000, "has_sms": True, "ratio": 0.5}},
        {"card": {"request_id": 630427373398, "exp_year": 2029, "last": 4242}},
        {"name": "phone_id", "value": "4155550105"},
        {"name": "shelf", "value": "4155550105", "phone_count": 19840312},
        {"version": 19840312, "build": "19840312"},
        {"monkey": 4155550105, "compass": "abc-12345", "telemetry": {"seq": 4155550105}},
    ],
)
def test_ids_counts_and_times_are_kept_when_they_stand_below_a_telling_key(
    redactor: Redactor, document: Any
) -> None:
    assert _redacted(redactor, document) == document


@pytest.mark.parametrize("space", ["", " "])
def test_document_is_unchanged_however_it_is_written(redactor: Redactor, space: str) -> None:
    text = json.dumps(
        {"messages": [{"role": "user", "parts": [{"content": "caf\u00e9\n1"}]}], "n": 1.50},
        separators=("," + space, ":" + space),
    )
    assert redactor.redact_json(text).text == text
    assert redactor.look([text, '{"phone": 1}', "no json"], is_json=True).clean == {0}


def test_value_behind_an_escape_is_found_without_a_walk(redactor: Redactor) -> None:
    text = '{"a": "x\\u0031\\u0039\\u0038.51.100.119\\u0020", "b": "\\tcard 4111\\u00a01111\\u20111111-1111"}'
    redacted = json.loads(redactor.redact_json(text).text)
    assert redacted["b"] == "\tcard <CARD_1>"
    assert redactor.redact_json('{"b": "jane\\u0040example.org"}').text == '{"b":"<EMAIL_1>"}'


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
