"""Triggers: same length, nothing missed, wide enough windows, bounded time on hostile text."""

import random
import threading
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from include.freezeline.errors import ConfigError
from include.freezeline.redaction.engine import Redactor
from include.freezeline.redaction.prefilter import (
    Prefilter,
    plain_view,
    shape_of,
    windows_around,
)
from include.freezeline.redaction.rules import load_redaction_config
from include.freezeline.redaction.triggers import Trigger

_EXAMPLES = tuple(
    text.replace("[[", "").replace("]]", "")
    for rule in load_redaction_config(Path("include/config")).rules
    for text in (*rule.must_redact, *rule.must_keep)
)
_relaxed = hypothesis_settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@given(st.text(max_size=200))
def test_views_keep_every_offset(text: str) -> None:
    assert len(plain_view(text)) == len(text)
    assert len(shape_of(text)) == len(text)


@given(st.text(alphabet=st.sampled_from('a1@\\nrtu00/"é\u0661\u2011\xa0'), max_size=60))
def test_shape_is_the_plain_view_in_bytes(text: str) -> None:
    shape = shape_of(text).decode()
    assert shape == "".join(c if c.isascii() else "?" for c in plain_view(text))


def test_prose_asks_no_library(redactor: Redactor) -> None:
    text = (
        "In 2024 the team shipped 3 releases on 2024-11-04 at 12:30 (12,500 users, up 3.5%): "
        "faster, safer, and well tested, said its tokeniser's author. See section 4.2.1."
    )
    assert redactor._scanner.hits(text) == []


@_relaxed
@given(
    st.lists(
        st.sampled_from(_EXAMPLES) | st.sampled_from([" ", "\n", "é", "(", '"', "\\n", ". "]),
        max_size=6,
    )
)
def test_triggers_miss_nothing_that_the_rules_find_everywhere(
    redactor: Redactor, pieces: list[str]
) -> None:
    text = " ".join(pieces)
    found = redactor._scanner.scan(text)
    missed = [
        (far.type, text[far.start : far.end])
        for far in redactor._scanner.scan_everywhere(text)
        if not any(near.start <= far.start and far.end <= near.end for near in found)
    ]
    assert missed == []


@given(st.integers(0, 4000), st.integers(0, 4000))
def test_value_lies_whole_in_a_window_wherever_it_stands(before: int, after: int) -> None:
    value = "1.2.3.4"
    text = "x. " * (before // 3) + value + " y" * (after // 2)
    start = text.index(value)
    hits = Prefilter([Trigger(7, r"[0-9]\.[0-9]\.[0-9]\.[0-9]")]).hits(shape_of(text))
    assert hits == [(7, start + len(value))]
    windows = windows_around(text, [end for _, end in hits], 160, 96)
    assert any(low <= start and start + len(value) <= high for low, high in windows)


_MIXED = [Trigger(1, "[0-9]{2}a"), Trigger(2, "@[a-z]"), Trigger(3, "[0-9]a@"), Trigger(4, "a")]
_TOGETHER = Prefilter(_MIXED)
_ALONE = [Prefilter([trigger]) for trigger in _MIXED]


@given(st.text("01a@ ", max_size=30))
def test_parted_triggers_find_what_each_finds_alone(text: str) -> None:
    shape = shape_of(text)
    alone = [hit for prefilter in _ALONE for hit in prefilter.hits(shape)]
    assert sorted(_TOGETHER.hits(shape)) == sorted(alone)


def test_gated_trigger_is_run_only_behind_its_gate() -> None:
    prefilter = Prefilter([Trigger(3, "[a-z]{2}", "digits"), Trigger(4, "@")])
    assert prefilter.hits(b"ab @ 123456") == [(4, 4)]
    assert sorted(prefilter.hits(b"ab @ 12-34.5 67")) == [(3, 2), (4, 4)]


def test_many_texts_in_one_pass_are_told_apart(redactor: Redactor) -> None:
    texts = ["plain", "jane@example.org", "", "4111111111111111", "é plain", "AKIAQC7SMN0VYU135EAF"]
    assert redactor.look(texts, is_json=False).clean == {0, 2, 4}


def test_threads_share_one_database(redactor: Redactor) -> None:
    text = "write to jane@example.org " + "and so on " * 2_000
    results: list[str] = []
    threads = [
        threading.Thread(target=lambda: results.append(redactor.redact_text(text).text[:20]))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == ["write to <EMAIL_1> a"] * 8


def test_config_error_names_the_trigger_that_cannot_run() -> None:
    with pytest.raises(ConfigError, match=r"trigger '\(\?<=a\)b'.*no look-around"):
        Prefilter([Trigger(0, "fine"), Trigger(1, "(?<=a)b")])


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
