"""Texts of a column together: what hides a value alone must not hide it there either."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from include.freezeline.contracts.lake import SPANS, TOOL_CALLS
from include.freezeline.landing.guard import Guard
from include.freezeline.redaction.engine import Redactor, load_redactor
from include.freezeline.redaction.pseudonyms import Pseudonymiser
from tests.unit.landing.fakes import span_row

_CARD = "4111 1135 4885 4685"
_TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture(scope="module")
def redactor() -> Redactor:
    return load_redactor(Path("include/config"))


@pytest.fixture
def guard(redactor: Redactor) -> Guard:
    return Guard(redactor.scope, Pseudonymiser(b"test"), redactor.look)


def _guarded(guard: Guard, table: Any, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the guarded columns of rows."""
    return dict(guard.guard_columns(table, rows, guard.scopes(), Counter()))


def test_document_that_is_a_string_of_another_is_redacted_as_a_document(guard: Guard) -> None:
    inner = '{"a": "kofi@example.org", "b": "kofi.mensah\\u0040example.net"}'
    rows = [
        {"trace_id": _TRACE, "arguments_redacted": text} for text in (json.dumps([inner]), inner)
    ]
    columns = _guarded(guard, TOOL_CALLS, rows)
    for text in columns["arguments_redacted"]:
        assert "example" not in json.dumps(json.loads(text))


@pytest.mark.parametrize(
    "text",
    [
        f"my card {_CARD}\x00abc",
        "write to jane\x00@example.org",
        f"\x07{_CARD}\x07",
        "a\x00b",
    ],
)
def test_control_characters_hide_nothing(guard: Guard, text: str) -> None:
    row = span_row(0, input_text_redacted=text, span_name=text, tool_name=text)
    row["input_messages_redacted"] = json.dumps([{"role": "user", "content": text}])
    columns = _guarded(guard, SPANS, [row])
    names = ("input_text_redacted", "span_name", "tool_name", "input_messages_redacted")
    for name in names:
        (value,) = columns[name]
        assert "4685" not in value, name
        assert "example.org" not in value, name
        assert "\x00" not in value, name


def test_value_that_is_no_text_is_refused_alone(guard: Guard) -> None:
    rows = [span_row(0, input_text_redacted=["jane@example.org"]), span_row(1)]
    columns = _guarded(guard, SPANS, rows)
    assert columns["input_text_redacted"] == ["['<EMAIL_1>']", None]
