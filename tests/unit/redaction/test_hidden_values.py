"""Values that a look at whole columns could overlook."""

import json
from collections import Counter
from typing import Any

import pytest

from include.freezeline.contracts.lake import SPANS
from include.freezeline.landing.scopes import Scopes
from include.freezeline.landing.texts import TextGuard
from include.freezeline.redaction.engine import Redactor

_COLUMNS = {column.name: column for column in SPANS.columns}
_JSON, _TEXT = _COLUMNS["input_messages_redacted"], _COLUMNS["input_text_redacted"]


def guarded(guard: TextGuard, redactor: Redactor, messages: list[Any], texts: list[Any]) -> Any:
    """The two columns after a guard has been over them."""
    columns = [(_JSON, list(messages)), (_TEXT, list(texts))]
    traces = [f"t{number}" for number in range(len(messages))]
    guard.guard(columns, traces, Scopes(redactor.scope), Counter())
    return [values for _, values in columns]


def test_json_is_walked_though_it_stands_in_another_json_too(redactor: Redactor) -> None:
    """What was found in it as a string of the other one is not all that it holds."""
    inner = '{"a": "kofi@example.org", "b": "kofi.mensah\\u0040example.net"}'
    both, _ = guarded(TextGuard(redactor.look), redactor, [json.dumps([inner]), inner], [None] * 2)
    assert json.loads(both[1]) == {"a": "<EMAIL_1>", "b": "<EMAIL_2>"}


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ('{"note":"my ssn is","v":"123177117"}', '{"note":"my ssn is","v":"<US_SSN_1>"}'),
        ("write kofi.mensah\x00@example.org", "write <EMAIL_1>"),
    ],
)
def test_texts_are_looked_at_though_their_json_is_known(
    redactor: Redactor, text: str, clean: str
) -> None:
    guard, messages = TextGuard(redactor.look), json.dumps([{"content": text}])
    for _ in range(3):
        assert guarded(guard, redactor, [messages], [text])[1] == [clean]


def test_values_that_are_no_texts_are_redacted_as_texts(redactor: Redactor) -> None:
    _, texts = guarded(
        TextGuard(redactor.look), redactor, ['["ref x4111111111111111y"]'] * 2,
        [4111111111111111, ["kofi@example.org"]],
    )  # fmt: skip
    assert texts == ["<CARD_1>", "['<EMAIL_1>']"]


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("kofi.mensah\x00@example.org", "<EMAIL_1>"),
        ("4111 1135 4885 4685\x00Bearer 4f8a2c9e7b1d4e6fa0c3", "<CARD_1>\x00Bearer <TOKEN_1>"),
        ("4111 1135 4885 4\x00685\x15,6(", "<CARD_1>,6("),
        (-295109912611193, "-<NATIONAL_ID_1>"),
    ],
)
def test_control_characters_and_signs_hide_nothing_in_json(
    redactor: Redactor, text: Any, clean: str
) -> None:
    for given in (json.dumps([text]), json.dumps([text], separators=(",", ":"))):
        assert json.loads(redactor.redact_json(given).text) == [clean]
