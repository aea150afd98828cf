"""Looking at many fields at once finds what looking at each alone finds."""

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.freezeline.redaction.controls import CONTROL
from include.freezeline.redaction.digits import reach_of_digits, stretches_with_digits
from include.freezeline.redaction.engine import Redactor
from include.freezeline.redaction.json_text import MAX_DEPTH, rewrite_json
from include.freezeline.redaction.prefilter import shape_of
from include.freezeline.redaction.rules import load_redaction_config
from include.freezeline.redaction.triggers import control_ends

_CONFIG = load_redaction_config(Path("include/config"))
_EXAMPLES = tuple(
    text.replace("[[", "").replace("]]", "")
    for rule in _CONFIG.rules
    for text in (*rule.must_redact, *rule.must_keep)
)
_FILLER = "The order of 2026-10-13 holds 12 items, and nobody knows why it took so long. "
_DATE = re.compile(r"(?:19|20)..([-/.])..\1..")
_relaxed = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
_texts = (
    st.sampled_from(_EXAMPLES)
    | st.sampled_from(["", "user", "text", _FILLER * 30, "é jane@example.org", "4111111111111111"])
    | st.text(max_size=20)
)
_keys = st.sampled_from(["role", "type", "content", "parts", "phone", "name", "value", "4"])
# The same few shapes again and again, some of which tell by a name what a value is.
_pairs = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["text", "phone", "password", "tool_call", 5, None, ["ssn"]]),
        "value": st.sampled_from(["hunter2go", "0301234567", "fine", '{"password":"hunter2go"}']),
    },
    optional={"name": st.sampled_from(["password", "user_id", "city"]), "content": _texts},
)
_documents = st.recursive(
    _texts | st.integers(-5, 10**18) | st.floats(allow_nan=False, allow_infinity=False) | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_keys, inner, max_size=4),
    max_leaves=12,
)


@_relaxed
@given(st.lists(_documents, min_size=1, max_size=5))
def test_documents_come_out_as_from_a_walk(redactor: Redactor, documents: list[Any]) -> None:
    texts = [_written(document) for document in documents]
    looked = redactor.look(texts, is_json=True)
    for number, text in enumerate(texts):
        walked, found = _walked(redactor, text)
        if number in looked.clean:
            assert walked == text
            continue
        alone = redactor.scope().redact_json(text)
        assert json.loads(alone.text) == json.loads(walked)
        assert [finding.type for finding in alone.findings] == found
        if number in looked.documents:
            together = redactor.scope().redact_document(looked.documents[number], looked)
            assert together == alone


@_relaxed
@given(st.lists(_texts, min_size=1, max_size=5))
def test_texts_come_out_as_alone(redactor: Redactor, texts: list[str]) -> None:
    looked = redactor.look(texts, is_json=False)
    for number, text in enumerate(texts):
        alone = redactor.scope().redact_text(text)
        assert redactor.scope().redact_text(text, looked) == alone
        if number in looked.clean:
            assert alone.text == text


@_relaxed
@given(st.lists(st.sampled_from(_EXAMPLES), min_size=1, max_size=4), st.integers(0, 25))
def test_values_in_long_texts_are_found(redactor: Redactor, pieces: list[str], before: int) -> None:
    text = _FILLER * before + f"\n{_FILLER}\n".join(pieces) + "\n" + _FILLER * (25 - before)
    found = redactor._scanner.scan(text)
    missed = [
        (far.type, text[far.start : far.end])
        for far in redactor._scanner.scan_everywhere(text)
        if not any(near.start <= far.start and far.end <= near.end for near in found)
    ]
    assert missed == []


@_relaxed
@given(st.lists(_pairs, min_size=1, max_size=6))
def test_pairs_of_known_shape_come_out_as_from_a_walk(
    redactor: Redactor, pairs: list[dict[str, Any]]
) -> None:
    test_documents_come_out_as_from_a_walk.hypothesis.inner_test(redactor, [*pairs, pairs])


def test_how_deep_a_document_may_be_does_not_change(redactor: Redactor) -> None:
    for depth in range(MAX_DEPTH - 2, MAX_DEPTH + 3):
        text = "[" * depth + '"fine"' + "]" * depth
        assert redactor.look([text], is_json=True).clean == ({0} if depth <= MAX_DEPTH else set())


def test_stretches_leave_dates_and_short_numbers_out() -> None:
    text = b"on 2026-10-13 order 123456 by +49 30 1234567 of 2026.01.02 and 2026-10-13 1"
    assert [text[low:high] for low, high in stretches_with_digits(text, 0)] == [
        b"49 30 1234567",
        b"2026-10-13 1",
    ]


def test_what_only_looks_like_a_date_is_kept() -> None:
    for text in (b"2126-10-13", b"2026-10.13", b"12026-1-13", b"202-610-13", b"2026-1013"):
        assert stretches_with_digits(text, 2) == [(0, len(text))], text
    assert stretches_with_digits(b"x 1999/12/31", 2) == []


def test_stretches_that_touch_are_one() -> None:
    assert stretches_with_digits(b"1234567 and 7654321", 3) == [(0, 19)]
    assert stretches_with_digits(b"1234567 and then 7654321", 3) == [(0, 10), (14, 24)]
    assert stretches_with_digits(b"no digits", 3) == []


def test_reach_is_unbounded_when_a_trigger_is() -> None:
    assert reach_of_digits([r"[0-9]{7}", r"\bid\b.{0,20}[0-9]{4}"]) == 26 + 48
    assert reach_of_digits([r"id.*[0-9]{7}"]) is None
    assert reach_of_digits([r"(?|a|b)"]) is None


def test_control_characters_need_a_look_of_their_own(redactor: Redactor) -> None:
    looked = redactor.look(["jane\x00@example.org", "plain\ttext\n", "a\x1fb"], is_json=False)
    assert looked.clean == {1}
    assert looked.findings == {}


@_relaxed
@given(st.text(st.characters(codec="utf-8") | st.sampled_from("\x00\x1f\x7f\t\n\r"), max_size=30))
def test_every_control_character_is_seen(text: str) -> None:
    ends = [n + 1 for n, char in enumerate(text) if char < " " and char not in "\t\n\r"]
    assert control_ends(shape_of(text)) == ends


@_relaxed
@given(st.text("0129-/. a", max_size=60), st.integers(0, 3))
def test_stretches_are_those_of_digits_close_together(text: str, reach: int) -> None:
    """The same, digit by digit."""
    runs: list[list[int]] = []
    for place in (n for n, char in enumerate(text) if char.isdigit()):
        if runs and place - runs[-1][-1] <= 3:
            runs[-1].append(place)
        else:
            runs.append([place])
    covered: set[int] = set()
    for run in runs:
        low, high = run[0], run[-1] + 1
        is_date = len(run) == 8 and _DATE.fullmatch(text[low:high])
        if len(run) >= 7 and not is_date:
            covered.update(range(max(low - reach, 0), min(high + reach, len(text))))
    stretches = stretches_with_digits(text.encode(), reach)
    assert {place for low, high in stretches for place in range(low, high)} == covered
    assert all(high < low for (_, high), (low, _) in pairwise(stretches))


@_relaxed
@given(st.lists(_texts, min_size=1, max_size=5))
def test_texts_known_from_documents_come_out_as_alone(redactor: Redactor, texts: list[str]) -> None:
    redactor.look([_written([text, {"content": text}]) for text in texts], is_json=True)
    looked = redactor.look(texts, is_json=False)
    for number, text in enumerate(texts):
        assert (number in looked.clean) <= (redactor.scope().redact_text(text).text == text)
        assert (number in looked.clean) == (redactor._scanner.found_in([text]) == {})


def test_document_in_a_known_text_is_looked_into_again(redactor: Redactor) -> None:
    # As a text it holds nothing; the escape hides the address until the document is read.
    text = '["' + "jane\\u0040example.org " + "and so on " * 10 + '"]'
    for document in (json.dumps([text]), json.dumps({"content": text})):
        looked = redactor.look([document], is_json=True)
        assert looked.clean == set()
        assert "example.org" not in redactor.redact_json(document).text


def _written(document: Any) -> str:
    """Return a document as the readers write it."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def _walked(redactor: Redactor, json_text: str) -> tuple[str, list[str]]:
    """Return a document rewritten leaf by leaf, and the types found."""
    scope, found = redactor.scope(), []

    def leaf(text: str, before: str) -> str:
        redacted = scope._replaced_after(before, text)
        found.extend(finding.type for finding in redacted.findings)
        bare = CONTROL.sub("", redacted.text)
        again = scope._replaced_after(before, bare)
        found.extend(finding.type for finding in again.findings)
        return again.text if again.findings else redacted.text

    return rewrite_json(json_text, leaf, redactor._tools.keys), found
