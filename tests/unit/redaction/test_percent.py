"""Values behind percent escapes, as URLs, logs of requests and form data hold them."""

import json
from collections.abc import Callable
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.freezeline.redaction.engine import Redactor
from include.freezeline.redaction.percent import unescaped
from tests.unit.redaction.test_neighbours import _VALUES

_URLS = (
    "https://api.example.com/v1/find?q={}&page=2",
    "GET /users?who={} 404",
    "https://example.com/{}/orders",
    '{{"back": "https://example.com/?q={}"}}',
)


def everything(text: str) -> str:
    """Escape every byte, letters and digits too."""
    return "".join(f"%{byte:02X}" for byte in text.encode())


def twice(text: str) -> str:
    """Escape the escapes, as a link inside a link does."""
    return quote(quote(text, safe=""), safe="")


@pytest.mark.parametrize("escape", [quote, everything, twice, str], ids=lambda each: each.__name__)
@pytest.mark.parametrize("value", _VALUES.values(), ids=_VALUES)
def test_value_in_a_url_is_redacted_however_it_is_escaped(
    redactor: Redactor, value: str, escape: Callable[[str], str]
) -> None:
    for url in _URLS:
        text = url.format(escape(value))
        redacted = redactor.redact_text(text)
        assert value not in unquote(unquote(redacted.text)), text
        assert redacted.findings
        for found in redacted.findings:
            assert text[found.start : found.end] not in redacted.text
        for document in ({"url": text}, [{"deep": json.dumps({"url": text})}]):
            assert value not in unquote(unquote(redactor.redact_json(json.dumps(document)).text))


def test_one_value_has_one_placeholder_however_it_is_written(redactor: Redactor) -> None:
    text = "mail jane.doe@example.org, then jane.doe%40example.org"
    assert redactor.redact_text(text).text.count("<EMAIL_1>") == 2


def test_texts_with_signs_of_percent_stay(redactor: Redactor) -> None:
    for text in ("100% of 12%", "5%20 of 40%", "a%2Fb%3Fc%3D1", "%", "%zz", "caf%C3%A9 %FF"):
        assert redactor.redact_text(text).text == text


@given(st.text(st.sampled_from("a1% é%4aF😀"), max_size=30))
def test_places_are_those_of_the_input(text: str) -> None:
    plain = unescaped(text)
    if plain is None:
        return
    assert plain.places[0] == 0
    assert plain.places[-1] == len(text)
    assert len(plain.places) == len(plain.text) + 1
    for char, low, high in zip(plain.text, plain.places, plain.places[1:], strict=False):
        written = text[low:high]
        assert char in {written, unquote(written), unquote(written, "latin-1")}
