"""Values are found where a script without spaces, or a URL, touches them."""

from pathlib import Path

import pytest

from include.freezeline.redaction.engine import Redactor, load_redactor

CONFIG_DIR = Path(__file__).parents[3] / "include" / "config"


@pytest.fixture(scope="module")
def redactor() -> Redactor:
    return load_redactor(CONFIG_DIR)


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("連絡先はjane@example.orgです", "連絡先は<EMAIL_1>です"),
        ("อีเมลjane@example.orgครับ", "อีเมล<EMAIL_1>ครับ"),
        ("서버198.51.100.7에서", "서버<IP_1>에서"),
        ("カード4111111111111111です", "カード<CARD_1>です"),
        ("電話+1-202-555-0104です", "電話<PHONE_1>です"),
        ("Tomás écrit à josé@example.org.", "Tomás écrit à <EMAIL_1>."),
        ("https://x/u/jane@example.org/p", "https://<EMAIL_1>/p"),
        ("see /p#jane@example.org now", "see /<EMAIL_1> now"),
        ("注文20261112は発送済み、型番ABC-123です", "注文20261112は発送済み、型番ABC-123です"),
    ],
)
def test_a_value_is_found_without_a_space_around_it(
    redactor: Redactor, text: str, redacted: str
) -> None:
    assert redactor.redact_text(text).text == redacted
