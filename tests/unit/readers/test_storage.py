"""Texts are stored only where class and consent allow it; their lengths always are."""

from typing import Any

import pytest

from include.freezeline.readers.attributes import AttributeView
from include.freezeline.readers.reading import read_object
from include.freezeline.readers.result import ReadResult
from include.freezeline.readers.rules import LandingRules, load_landing_rules
from include.freezeline.readers.storage import (
    StorageRule,
    StorageRules,
    measure_texts,
    storage_of,
    withhold_texts,
)
from tests.unit.readers import builders
from tests.unit.readers.conftest import CONFIG_DIR

RULES = StorageRules(
    data_class=("data.class",),
    consent=("consent.storage",),
    rules=(
        StorageRule(feature=("doctor",), data_class="health", consent="granted"),
        StorageRule(environment=("staging",), consent="denied"),
    ),
    never_store_text_of=("health",),
)


@pytest.mark.parametrize(
    ("span", "resource", "row", "expected"),
    [
        ({}, {}, {}, (None, "unknown", True)),
        ({"consent.storage": "granted"}, {}, {}, (None, "granted", True)),
        ({"consent.storage": True}, {}, {}, (None, "granted", True)),
        ({"consent.storage": "Opt-Out"}, {}, {}, (None, "denied", False)),
        ({"consent.storage": "perhaps"}, {}, {}, (None, "denied", False)),
        ({}, {"consent.storage": "no"}, {}, (None, "denied", False)),
        ({"consent.storage": "yes"}, {"consent.storage": "no"}, {}, (None, "granted", True)),
        ({}, {}, {"environment": "staging"}, (None, "denied", False)),
        ({"consent.storage": "yes"}, {}, {"environment": "staging"}, (None, "granted", True)),
        ({}, {}, {"feature": "doctor"}, ("health", "granted", False)),
        ({"data.class": "public"}, {}, {"feature": "doctor"}, ("public", "granted", True)),
        ({"data.class": "health"}, {}, {}, ("health", "unknown", False)),
    ],
)
def test_storage_follows_attributes_then_rules(
    span: dict[str, Any], resource: dict[str, Any], row: dict[str, Any], expected: Any
) -> None:
    found = storage_of(AttributeView(span), AttributeView(resource), row, RULES)
    assert tuple(found) == expected


def test_unknown_consent_withholds_when_the_rules_say_so() -> None:
    rules = StorageRules(store_text_when_unknown=False)
    assert not storage_of(AttributeView({}), AttributeView({}), {}, rules).may_store_text


def test_lengths_are_measured_and_texts_go() -> None:
    row = {"span_name": "chat m", "input_text_redacted": "how are you", "duration_ms": 3.0,
           "output_text_redacted": "I am fine.\nYou?", "error_message_redacted": "said: you"}  # fmt: skip
    measure_texts(row)
    tool = {"tool_name": "mail", "arguments_redacted": '{"to":"you"}'}
    assert withhold_texts({"spans": [row], "tool_calls": [tool], "evaluations": []})
    measures = ("input_text_chars", "output_text_chars", "output_text_words")
    assert [row[name] for name in measures] == [11, 15, 4]
    assert "you" not in str([row, tool]).lower()
    assert (row["span_name"], row["duration_ms"], tool["tool_name"]) == ("chat m", 3.0, "mail")


def test_no_text_is_not_an_empty_text() -> None:
    row: dict[str, Any] = {"input_text_redacted": None, "output_text_redacted": ""}
    measure_texts(row)
    assert (row["input_text_chars"], row["output_text_chars"]) == (None, 0)
    assert not withhold_texts({"spans": [{"span_name": "x"}]})


def _object(rules: LandingRules, *documents: dict[str, Any]) -> ReadResult:
    data = b"\n".join(builders.encode(document) for document in documents)
    return read_object("traces/a.json", data, rules)


def test_a_span_without_consent_lands_with_measures_and_no_text() -> None:
    rules = load_landing_rules(CONFIG_DIR)
    messages = '[{"role":"user","parts":[{"type":"text","content":"my secret wish"}]}]'
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.input.messages": messages,
        "gen_ai.usage.input_tokens": 9,
        "consent.storage": False,
        "data.class": "personal",
        "app.note": "my secret wish",
    }
    row = _object(rules, builders.document([builders.span(attributes)])).spans[0]
    assert (row["data_class"], row["consent"], row["is_text_withheld"]) == (
        "personal",
        "denied",
        True,
    )
    assert (row["input_text_chars"], row["input_tokens"]) == (14, 9)
    assert "secret" not in str(row)


def test_a_log_event_is_judged_by_its_own_resource() -> None:
    rules = load_landing_rules(CONFIG_DIR)
    event = builders.log_record(
        "gen_ai.user.message", {}, body=builders.any_value({"content": "my secret wish"})
    )
    document = builders.logs_document([event])
    kept = _object(rules, document).tables["message_contents"]
    assert kept[0]["text_redacted"] == "my secret wish"
    resource = {"attributes": builders.pairs({"app.consent": "denied"})}
    document["resourceLogs"][0]["resource"] = resource
    withheld = _object(rules, document)
    assert "secret" not in str(withheld.tables)
    assert withheld.used_count == 1
