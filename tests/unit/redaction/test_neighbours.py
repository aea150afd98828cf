"""Values between the signs and numbers that people and machines put beside them."""

import pytest

from include.freezeline.redaction.engine import Redactor

_VALUES = {
    "EMAIL": "ingrid.holt@example.org",
    "CARD": "4111 1111 1111 1111",
    "CARD without spaces": "4111111111111111",
    "CARD of the newer range": "2223003122003222",
    "IBAN": "DE89370400440532013000",
    "IBAN in groups": "DE89 3704 0044 0532 0130 00",
    "PHONE": "+4915112345678",
    "PHONE in groups": "+1 415 555 2671",
    "US_SSN": "219-09-9999",
    "IP": "203.0.113.77",
    "API_KEY": "sk-proj-4f8a2c9e7b1d4e6fa0c34f8a2c9e7b1d4e6fa0c3",
    "AWS_KEY": "AKIAIOSFODNN7EXAMPL2",
    "TOKEN": "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
}
# Not in here: a hyphen, point or underscore that glues a value to a word, which makes an id.
_SIGNS = (
    ",", ";", "|", "\t", "=", '"', "'", "/", "&", "(", ")", "[", "]", "{", "}", "<", ">", "\n",
    "\\n", ". ", "!", "?", "#", "~", "*", "$", "`", "…", "—", " \u2013 ", "\u00a0", "\u200b", "\uff0c", "。",
    "、", " _", "_ ",
)  # fmt: skip
_GROUPS = ("12", "123", "1234", "4242", "5512", "2221", "DE12", "GB82 WEST", "2026-10-01", "99.5")


@pytest.mark.parametrize("value", _VALUES.values(), ids=_VALUES)
def test_signs_beside_a_value_hide_nothing(redactor: Redactor, value: str) -> None:
    texts = [
        text
        for sign in _SIGNS
        for beside in ("6", "word", "")
        for text in (f"{beside}{sign}{value} end", f"start {value}{sign}{beside}")
    ]
    assert [text for text in texts if value in redactor.redact_text(text).text] == []


@pytest.mark.parametrize("value", _VALUES.values(), ids=_VALUES)
def test_numbers_beside_a_value_hide_nothing(redactor: Redactor, value: str) -> None:
    texts = [
        text
        for group in _GROUPS
        for sign in (" ", ": ", ", ", "\n")
        for text in (f"x {group}{sign}{value} y", f"x {value}{sign}{group} y")
    ]
    assert [text for text in texts if value in redactor.redact_text(text).text] == []
