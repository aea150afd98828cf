"""Several features in one release, and the formats of the verdict."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from include.freezeline.freeze.verdict import Question, ask
from include.freezeline.freeze.verdict_formats import FORMATS, as_json, render
from tests.unit.freeze.documents import NOW, NOW_TEXT, make_document, make_override, sign
from tests.unit.freeze.gates import ask_check, publish_to

NASTY = '<a href="x">&amp;\'\u2028\x0b\x1b[31m]]>\ufffe\ud800 100%\nnext\u00e9\U0001f600'


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """Return a published folder."""
    return publish_to(tmp_path / "published")


def _features(*names: str) -> list[str]:
    return [part for name in names for part in ("--feature", name)]


@pytest.mark.parametrize(
    ("features", "change_class", "code", "reason"),
    [
        (["calm"], "feature", 0, "open"),
        (["calm", "calm"], "feature", 0, "open"),
        (["calm", "hot"], "feature", 3, "frozen"),
        (["hot", "gone"], "feature", 5, "unknown_feature"),
        (["gone", "hot", "calm"], "feature", 5, "unknown_feature"),
        (["gone", "calm"], "rollback", 0, "exempt_change_class"),
        (["hot", "gone"], "security_fix", 5, "unknown_feature"),
        (["calm,hot"], "feature", 5, "unknown_feature"),
    ],
)
def test_all_features_must_be_allowed_and_the_most_severe_decides(
    published: Path, features: list[str], change_class: str, code: int, reason: str
) -> None:
    asked = ask_check(
        published, *_features(*features), "--change-class", change_class, "--format", "json"
    )
    answer = json.loads(asked.stdout)
    assert (asked.exit_code, answer["exit_code"], answer["reason"]) == (code, code, reason)
    assert answer["allow"] is (code == 0)
    assert answer["decision"] == ("block" if code else "allow")
    if len(set(features)) > 1:
        assert [item["feature"] for item in answer["answers"]] == features
        assert all(item["allow"] for item in answer["answers"]) is answer["allow"]
    else:
        assert answer["feature"] == features[0]


@pytest.mark.parametrize(
    ("feature", "at", "words"),
    [
        ("gone", NOW_TEXT, "gone (production) is not in the freeze document (known: calm, "),
        ("hot", "2026-10-15T06:00:00Z", "the freeze document is stale since "),
    ],
)
def test_json_explains_what_the_state_does_not(
    published: Path, feature: str, at: str, words: str
) -> None:
    asked = ask_check(published, *_features(feature), "--format", "json", at=at)
    assert words in json.loads(asked.stdout)["explanation"]


def test_stale_is_more_severe_than_unknown_and_frozen(published: Path) -> None:
    late = "2026-10-15T06:00:00Z"
    asked = ask_check(published, *_features("gone", "hot", "calm"), "--format", "json", at=late)
    answer = json.loads(asked.stdout)
    assert (asked.exit_code, answer["reason"], answer["fresh"]) == (4, "stale", False)
    assert [item["exit_code"] for item in answer["answers"]] == [5, 4, 4]


def test_release_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one feature"):
        Question(())


@pytest.mark.parametrize(
    ("change_class", "at", "allow", "fresh"),
    [
        ("feature", NOW_TEXT, True, True),
        ("security_fix", "2026-10-16T00:00:00Z", True, False),
        ("rollback", "2026-10-13T00:00:00Z", True, False),
        ("feature", "2026-10-16T00:00:00Z", False, False),
    ],
)
def test_answer_is_fresh_only_when_the_document_holds(
    published: Path, change_class: str, at: str, *, allow: bool, fresh: bool
) -> None:
    more = ("--change-class", change_class, "--format", "json")
    answer = json.loads(ask_check(published, *_features("calm"), *more, at=at).stdout)
    assert (answer["allow"], answer["fresh"]) == (allow, fresh)


def test_junit_report_counts_and_names_every_feature(published: Path) -> None:
    asked = ask_check(published, *_features("calm", "hot", "gone"), "--format", "junit")
    root = ET.fromstring(asked.stdout)  # noqa: S314 - our own text
    assert root.tag == "testsuites"
    (suite,) = root
    counts = {name: int(suite.attrib[name]) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": 3, "failures": 1, "errors": 1, "skipped": 0}
    assert {name: root.attrib[name] for name in ("tests", "failures", "errors")} == {
        "tests": "3", "failures": "1", "errors": "1",
    }  # fmt: skip
    assert suite.attrib["timestamp"] == "2026-10-14T01:00:00"
    kinds = {case.attrib["name"].split()[0]: case[0] for case in suite}
    assert {name: child.tag for name, child in kinds.items()} == {
        "calm": "system-out", "hot": "failure", "gone": "error",
    }  # fmt: skip
    assert kinds["hot"].attrib["type"] == "frozen"
    assert kinds["hot"].attrib["message"] == kinds["hot"].text
    assert "112%" in (kinds["hot"].text or "")


def test_junit_report_is_xml_whatever_the_document_says() -> None:
    document = make_document()
    document["features"][1] |= {"reason": NASTY, "since": NASTY}
    verdict = ask(document, Question(("hot", NASTY)), NOW)
    text, _ = render(verdict, "junit")
    assert text.isascii()
    root = ET.fromstring(text)  # noqa: S314 - our own text
    message = root[0][0][0].attrib["message"]
    for kept in ('<a href="x">&amp;\'', "]]>", "100%\nnext\u00e9\U0001f600"):
        assert kept in message
    for lost in ("\x0b", "\x1b", "\ufffe"):
        assert lost not in message


@pytest.mark.parametrize("output", FORMATS)
def test_every_format_is_written_whatever_is_asked(published: Path, output: str) -> None:
    asked = ask_check(published, *_features(NASTY), "--format", output)
    assert asked.exit_code == 5
    assert asked.stdout


def test_github_annotations_stay_on_their_lines() -> None:
    document = make_document()
    document["features"][1]["reason"] = "50%\r\n::notice::ALLOWED"
    text, _ = render(ask(document, Question(("hot", "calm")), NOW), "github")
    lines = text.splitlines()
    assert [line.split(" ")[0] for line in lines] == ["::error", "::notice"]
    assert "50%25%0D%0A::notice" in lines[0]


@pytest.mark.parametrize("features", [None, {}, "calm", [None, 3, "calm", {"feature": ["calm"]}]])
def test_block_is_said_when_a_signed_document_is_malformed(
    tmp_path: Path, features: object
) -> None:
    folder = publish_to(tmp_path, sign(make_document(features=features)))
    for output in FORMATS:
        assert ask_check(folder, *_features("calm"), "--format", output).exit_code == 5


def test_json_is_one_answer_for_one_feature() -> None:
    one = as_json(ask(make_document(), Question(("calm",)), NOW))
    two = as_json(ask(make_document(), Question(("calm", "mending")), NOW))
    assert one["allow"] is True
    assert "answers" not in one
    assert two["answers"][0] == one
    assert set(two) - {"answers"} < set(one)


@pytest.mark.parametrize(
    ("changes", "asked", "code"),
    [
        ({}, (), 0),
        ({"change_ref": "4f1c2ab"}, ("--change-ref", "4f1c2ab"), 0),
        ({"change_ref": "4f1c2ab"}, ("--change-ref", "another"), 3),
        ({"change_ref": "4f1c2ab"}, ("--change-ref", ""), 3),
        ({"change_ref": "4f1c2ab"}, (), 3),
        ({"approved_by": "pat@example.com"}, (), 3),
        ({"expires_at": NOW_TEXT}, (), 3),
    ],
)
def test_override_lets_its_feature_pass_and_is_said(
    tmp_path: Path, changes: dict[str, str], asked: tuple[str, ...], code: int
) -> None:
    document = make_document()
    document["features"][1]["overrides"] = [make_override(**changes)]
    folder = publish_to(tmp_path, sign(document))
    found = ask_check(folder, *_features("calm", "hot"), *asked, "--format", "json")
    assert found.exit_code == code
    _, hot = json.loads(found.stdout)["answers"]
    assert (hot["reason"], hot["override"] is not None) == (
        ("frozen", False) if code else ("override", True)
    )
    assert ("approved by sam@example.com, until" in found.stderr) == (code == 0)


def test_override_without_its_number_is_said_all_the_same() -> None:
    document = make_document()
    override = make_override()
    del override["override_id"], override["reason"]
    document["features"][1]["overrides"] = [override]
    sentence, _ = render(ask(document, Question(("hot",)), NOW), "text")
    assert "override unknown by pat@example.com" in sentence
