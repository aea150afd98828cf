"""Formats: answers and schemas of any shape, schemas that a policy refuses, and code fences."""

import json
from pathlib import Path
from typing import Any

import pytest

from include.freezeline.config import config_dir
from include.freezeline.errors import ConfigError
from include.freezeline.evaluators.fences import Fenced, fenced
from include.freezeline.evaluators.formats import Format
from include.freezeline.evaluators.interface import Item, Score, evaluate
from include.freezeline.evaluators.policy import load_evaluator_policy
from include.freezeline.evaluators.schemas import validator_of
from include.freezeline.evaluators.shape import SHAPES
from include.freezeline.settings import Settings

NEWEST = "https://json-schema.org/draft/2020-12/schema"
DRAFT_4 = "http://json-schema.org/draft-04/schema#"
RECURSIVE = {"type": ["array", "object"], "items": {"$ref": "#"}}
MANY = 100_000


def scored(answer: str, schema: dict[str, Any]) -> Score:
    (score,) = evaluate(Format(), [Item("a", answer, schema=schema)])
    return score


@pytest.mark.parametrize(
    ("answer", "schema", "kind"),
    [
        ("[" * 300 + "]" * 300, RECURSIVE, "RecursionError"),
        (f"[{'[' * 950 + ']' * 950}, {'[' * 950 + ']' * 950}]", {"uniqueItems": True}, "Recursion"),
        ("1" + "0" * 400, {"multipleOf": 0.01}, "OverflowError"),
        ("1e999", {"multipleOf": 0.01}, "OverflowError"),
        ("1", {"$ref": "#"}, "RecursionError"),
        ("1", {"$ref": "#/definitions/Nope"}, "WrappedReferencingError"),
        ("1", {"$ref": 7}, "AttributeError"),
        ("1", {"$schema": 7}, "AttributeError"),
        ('"a"', {"pattern": "("}, "error"),
    ],
)
def test_what_cannot_be_held_against_its_schema_has_no_score(
    answer: str, schema: dict[str, Any], kind: str
) -> None:
    score = scored(answer, schema)
    assert score.value is None
    assert score.reason.startswith(f"cannot be held against its schema: {kind}")


ORDER = {
    "type": "object",
    "properties": {
        "card": {"type": "integer"}, "mail": {"type": "string", "format": "email", "maxLength": 5},
        "tags": {"uniqueItems": True}, "who": {"anyOf": [{"type": "object", "required": ["id"],
        "properties": {"id": {"type": "integer"}}}, {"type": "null"}]},
    },
    "required": ["card"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ('{"card": <CARD_1>}', 1.0),
        ('{"card": "<CARD_1>", "mail": "<EMAIL_2>"}', 1.0),
        ('\ufeff{"card": 1}', 1.0),
        ('{"card": <CARD_1>.50}', None),
        ('{"card": 1, "who": {"id": "<NAME_1>"}}', None),
        ("<DROPPED>", None),
        ('{"mail": "<EMAIL_1>"}', 0.5),
        ('{"card": "one", "mail": "<EMAIL_1>"}', 0.5),
        ('{"card": 1, "mail": "\\"<CARD_1>", "tags": ["a", "a"]}', 0.5),
        ("Write to <EMAIL_1>.", 0.0),
        ('{"card": <card_1>}', 0.0),
    ],
)
def test_what_redaction_replaced_is_not_held_against_the_model(
    answer: str, expected: float | None
) -> None:
    score = scored(answer, ORDER)
    assert score.value == expected
    assert (score.reason == "redacted where it would be decided") is (expected is None)


def test_unended_string_is_read_once() -> None:
    assert scored('"' + '\\"' * MANY, ORDER).value == 0.0


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ('[1, 2, "1", true, [1], {"a": 1}]', 1.0), ("[1, 1.0]", 0.5), ("[true, 1]", 1.0),
        ('[{"a": 1, "b": 2}, {"b": 2, "a": 1.0}]', 0.5), ("[0, false]", 1.0), ("[[1], [1]]", 0.5),
        ("{}", 1.0),
    ],
)  # fmt: skip
def test_items_are_unique_as_json_schema_says(answer: str, expected: float) -> None:
    assert scored(answer, {"uniqueItems": True}).value == expected


def test_many_items_are_held_against_each_other_in_one_pass() -> None:
    items = json.dumps([{"id": number} for number in range(20_000)])
    assert scored(items, {"uniqueItems": True}).value == 1.0


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("date", "2026-02-30", 0.5), ("date", "2026-02-28", 1.0), ("email", "nobody", 0.5),
        ("uuid", "1", 0.5), ("ipv4", "1.2.3", 0.5), ("date-time", "soon", 1.0),
    ],
)  # fmt: skip
def test_formats_that_need_no_package_are_checked(name: str, value: str, expected: float) -> None:
    assert scored(json.dumps(value), {"format": name}).value == expected


def test_answer_that_cannot_be_held_leaves_the_others_their_scores() -> None:
    answers = ["[]", "[" * 300 + "]" * 300, "[1]"]
    items = [Item(str(n), answer, schema=RECURSIVE) for n, answer in enumerate(answers)]
    assert [score.value for score in evaluate(Format(), items)] == [1.0, None, 0.5]


def test_reference_to_a_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "any.json").write_text("{}")
    reference = (tmp_path / "any.json").as_uri()
    assert scored("1", {"$ref": reference}).value is None


def refused(tmp_path: Path, schema: object) -> str:
    """Return what a policy with a schema is told."""
    packaged = (config_dir(Settings()) / "evaluators.yml").read_text()
    formats = json.dumps({"order-extractor": schema})
    (tmp_path / "evaluators.yml").write_text(packaged.replace("formats: {}", f"formats: {formats}"))
    with pytest.raises(ConfigError) as caught:
        load_evaluator_policy(tmp_path)
    message = str(caught.value)
    assert f"{tmp_path / 'evaluators.yml'}: formats: order-extractor: " in message
    return message


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "http://127.0.0.1:1/schema.json"},
        {"$ref": "file:///etc/passwd"},
        {"properties": {"a": {"items": {"$ref": "other.json"}}}},
        {"properties": {"a": {"$dynamicRef": "http://127.0.0.1:1/x#y"}}},
        {"$id": "http://h/a.json", "$ref": "b.json"},
        {"$ref": "http://["},
        {"$ref": "#/x-hidden", "x-hidden": {"$ref": "file:///etc/passwd"}},
    ],
)
def test_policy_refuses_references_that_lead_out_of_a_schema(
    tmp_path: Path, schema: object
) -> None:
    message = refused(tmp_path, schema)
    assert "leads out of the schema, and nothing is fetched (put the definition into" in message
    assert "write '#/$defs/NAME')" in message


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/definitions/Nope"},
        {"$ref": "#nope"},
        {"$ref": "#/title", "title": "x"},
        {"allOf": [{"$ref": "#/allOf/x"}]},
        {"$schema": DRAFT_4, "$ref": 7},
    ],
)
def test_policy_refuses_references_that_lead_nowhere(tmp_path: Path, schema: object) -> None:
    assert "leads to no schema (put the definition into the schema" in refused(tmp_path, schema)


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"anyOf": [{"type": "string"}, {"$ref": "#"}]},
        {"dependentSchemas": {"a": {"$ref": "#"}}},
        {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"not": {"$ref": "#/$defs/a"}}}},
        {"$schema": "https://json-schema.org/draft/2019-09/schema", "$recursiveRef": "#"},
    ],
)
def test_policy_refuses_circles(tmp_path: Path, schema: object) -> None:
    assert "refers to itself for the very same value, which never ends (" in refused(
        tmp_path, schema
    )


@pytest.mark.parametrize("dialect", [7, ["a"], None, True, "http://example.com/dialect", ""])
def test_policy_refuses_unknown_dialects(tmp_path: Path, dialect: object) -> None:
    message = refused(tmp_path, {"$schema": dialect})
    assert f"is no known dialect (write {NEWEST}" in message


@pytest.mark.parametrize(
    ("schema", "complaint"),
    [
        ({"properties": {"a": {"type": 7}}}, "not a JSON Schema at $.properties.a.type: 7 is not"),
        ({"pattern": "("}, "not a JSON Schema at $.pattern: '(' is not a 'regex' (correct it)"),
        ({"$schema": DRAFT_4, "patternProperties": {"(": {}}}, "is no regular expression: missing"),
        ({"pattern": "a{99999999999}"}, "cannot be read as a JSON Schema: OverflowError (simplify"),
    ],
)
def test_policy_refuses_what_is_no_schema(tmp_path: Path, schema: object, complaint: str) -> None:
    assert complaint in refused(tmp_path, schema)


@pytest.mark.parametrize(
    ("schema", "met", "broken"),
    [
        (RECURSIVE, [[[]]], [[1]]),
        ({"$defs": {"n": {"$anchor": "n", "type": "null"}}, "$ref": "#n"}, None, 1),
        (
            {"$id": "http://h/a.json", "$defs": {"b": {"$id": "b.json", "type": "null"}},
             "items": {"$ref": "b.json"}, "prefixItems": [{"$ref": "http://h/b.json"}]},
            [None, None], [None, 1],
        ),
        ({"$dynamicAnchor": "n", "type": "array", "items": {"$dynamicRef": "#n"}}, [[]], [1]),
        (
            {"$schema": "http://json-schema.org/draft-07/schema", "properties": {"$ref": {}},
             "definitions": {"a": {"type": "null"}}, "items": {"$ref": "#/definitions/a"}},
            [None], [1],
        ),
        ({"enum": [{"$ref": "http://h"}], "default": {"$ref": "#/no"}}, {"$ref": "http://h"}, 1),
        ({"x": {"y": {"type": "null"}}, "items": {"$ref": "#/x/y"}}, [None], [1]),
        (
            {"$defs": {"s": {"type": "string"}}, "allOf": [{"$ref": "#/$defs/s"}],
             "anyOf": [{"$ref": "#/$defs/s"}, {"$ref": "#/$defs/s"}]},
            "a", 1,
        ),
    ],
)  # fmt: skip
def test_policy_takes_schemas_that_are_whole(
    tmp_path: Path, schema: dict[str, Any], met: object, broken: object
) -> None:
    packaged = (config_dir(Settings()) / "evaluators.yml").read_text()
    text = packaged.replace("formats: {}", f"formats: {json.dumps({'f': schema})}")
    (tmp_path / "evaluators.yml").write_text(text)
    read = load_evaluator_policy(tmp_path).formats["f"]
    assert validator_of(read).is_valid(met)
    assert not validator_of(read).is_valid(broken)
    assert [scored(json.dumps(each), schema).value for each in (met, broken)] == [1.0, 0.5]


def test_threshold_of_the_judge_is_refused_for_it_would_not_be_used(tmp_path: Path) -> None:
    text = (config_dir(Settings()) / "evaluators.yml").read_text()
    path = tmp_path / "evaluators.yml"
    path.write_text(text.replace("  judge:\n", "  judge:\n    model_threshold: 0.5\n"))
    assert load_evaluator_policy(tmp_path).evaluators.judge.model_threshold == 0.5
    path.write_text(text.replace("  judge:\n", "  judge:\n    threshold: 0.5\n"))
    with pytest.raises(ConfigError, match=r"evaluators\.judge: threshold 0\.5 is ") as caught:
        load_evaluator_policy(tmp_path)
    assert str(caught.value).endswith("(write model_threshold: 0.5)")


def test_threshold_of_a_model_is_refused_where_no_model_can_be_named(tmp_path: Path) -> None:
    text = (config_dir(Settings()) / "evaluators.yml").read_text()
    path = tmp_path / "evaluators.yml"
    path.write_text(text.replace("  tone:\n", "  tone:\n    model_threshold: 0.5\n"))
    with pytest.raises(ConfigError, match=r"evaluators\.tone: model_threshold 0\.5 is ") as caught:
        load_evaluator_policy(tmp_path)
    assert str(caught.value).endswith("(write threshold: 0.5)")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("```json\n[1]\n```", Fenced("json", "[1]")),
        (" ```\n[1]\n\n  ```\n", Fenced("", "[1]")),
        ("```[1]```", Fenced("", "[1]")),
        ("``````", Fenced("", "")),
        ("`````", None),
        ("```json\n[1]", None),
        ("[1]\n```", None),
        ("[1]", None),
        ("", None),
    ],
)
def test_fence_is_one_around_the_whole_text(text: str, found: Fenced | None) -> None:
    assert fenced(text) == found


# Patterns that look at a run of white space again from each of its characters take hours here.
@pytest.mark.parametrize("blank", ["\n", " ", "\t\n"])
def test_long_runs_of_white_space_are_read_once(blank: str) -> None:
    run = blank * MANY
    for text in (
        f"```{run}x",
        f"```{run}x```",
        f"```\n{run}[1]{run}\n```",
        f"x{run}y",
        f"x{run}```",
    ):
        value = 0.5 if "[1]" in text else 0.0
        assert scored(text, RECURSIVE).value == value
        assert SHAPES["is_json"](text) == 2 * value
