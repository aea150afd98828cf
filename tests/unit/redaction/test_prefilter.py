"""Prefilters: same length, wide enough windows, bounded time on hostile text."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.freezeline.redaction.engine import Redactor
from include.freezeline.redaction.prefilter import Shapes, plain_view


@given(st.text(max_size=200))
def test_plain_view_keeps_every_offset(text: str) -> None:
    assert len(plain_view(text)) == len(text)


def test_prose_asks_no_library() -> None:
    shapes = Shapes("In 2024 the team shipped 3 releases: faster, safer, and well tested (really).")
    prefilters = ("at_sign", "digits", "phone", "dotted", "letters_digits", "long_token", "key")
    assert [name for name in prefilters if shapes.windows(name)] == []


@given(st.integers(0, 4000), st.integers(0, 4000))
def test_value_lies_whole_in_a_window_wherever_it_stands(before: int, after: int) -> None:
    value = "1.2.3.4"
    text = "x. " * (before // 3) + value + " y" * (after // 2)
    start = text.index(value)
    windows = Shapes(text).windows("dotted")
    assert any(low <= start and start + len(value) <= high for low, high in windows)


_RANDOM = random.Random(7)  # noqa: S311 - test data
_HOSTILE = {
    "numbers": " ".join(str(_RANDOM.randint(0, 99_999)) for _ in range(8_000)),
    "decimals": ", ".join(f"{_RANDOM.random():.8f}" for _ in range(5_000)),
    "at signs": "@ " * 20_000,
    "one long word": "a" * 100_000 + "@" + "b." * 5_000,
    "digits": "4" * 50_000,
    "colons": "a:b:" * 15_000,
    "keys": "-----BEGIN PRIVATE KEY----- abcdefghijklmnopqrstuvwx " * 1_000,
    "brackets": "[" * 50_000,
}


@pytest.mark.parametrize("name", sorted(_HOSTILE))
def test_hostile_text_takes_seconds_not_minutes(redactor: Redactor, name: str) -> None:
    started = time.process_time()
    redacted = redactor.redact_text(_HOSTILE[name])
    assert time.process_time() - started < 8
    assert not redacted.is_dropped
    if name == "decimals":
        assert redacted.findings == ()
