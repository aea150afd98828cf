"""Blocked members and people's ids, wherever a span carries them."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from include.freezeline.readers.reading import read_object
from include.freezeline.readers.result import Row
from include.freezeline.readers.rules import LandingRules
from tests.unit.readers import builders

CHAT = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "user.id": "alice-77"}
LLM = {"openinference.span.kind": "LLM", "llm.model_name": "gpt-4.1", "user.id": "alice-77"}
ReadBoth = Callable[..., tuple[Row, dict[str, Any]]]


@pytest.fixture
def read_both(rules: LandingRules) -> ReadBoth:
    """Read a span in both encodings, and return its row and the attributes no column holds."""

    def read(
        attributes: Mapping[str, Any], *events: Any, **resource: Any
    ) -> tuple[Row, dict[str, Any]]:
        document = builders.document(
            [builders.span(attributes, events=list(events))], resource=resource
        )
        from_json = read_object("traces.json", builders.encode(document), rules)
        from_protobuf = read_object("traces.binpb", builders.traces_message(document), rules)
        assert from_json.spans == from_protobuf.spans
        assert len(from_json.spans) == 1
        row = from_json.spans[0]
        return row, json.loads(row["attributes_redacted"] or "{}")

    return read


def test_person_is_dropped_when_an_event_names_it(read_both: ReadBoth) -> None:
    event = builders.event(
        "note", 1, {"user.id": "alice-77", "tenant.id": "other-1", "kept": "yes"}
    )
    row, rest = read_both(CHAT, event)
    assert row["user_key"] == "alice-77"
    assert rest["span.events"] == [{"name": "note", "attributes": {"kept": "yes"}}]


@pytest.mark.parametrize("as_text", [True, False])
def test_metadata_is_spread_when_it_is_a_mapping_or_text(
    read_both: ReadBoth, *, as_text: bool
) -> None:
    metadata = {"user_id": "alice-77", "tenant_id": "acme-1", "request_id": "r-1", "k": "v"}
    given = json.dumps(metadata) if as_text else metadata
    row, rest = read_both({"openinference.span.kind": "LLM", "metadata": given})
    assert (row["user_key"], row["tenant_key"], row["request_id"]) == ("alice-77", "acme-1", "r-1")
    assert rest == {"metadata.k": "v"}


@pytest.mark.parametrize("as_text", [True, False])
def test_end_user_is_dropped_when_the_parameters_name_it(
    read_both: ReadBoth, *, as_text: bool
) -> None:
    parameters = {"user": "bob-8", "metadata": {"user_id": "bob-8"}, "top_p": 0.5}
    given = json.dumps(parameters) if as_text else parameters
    _, rest = read_both({**LLM, "llm.invocation_parameters": given})
    kept = rest["llm.invocation_parameters"]
    assert (json.loads(kept) if as_text else kept) == {"metadata": {}, "top_p": 0.5}


def test_found_people_are_masked_when_they_stand_in_other_attributes(read_both: ReadBoth) -> None:
    row, rest = read_both(
        {**CHAT, "tenant.id": "acme-1", "session.id": "908070", "app.request.id": "alice-77-req",
         "path": "/users/alice-77/of/acme-1", "wide": "malice-778", "n": 908070, "m": 9080701,
         "nested": {"who": ["alice-77"]}},
        builders.event("note", 1, {"text": "hello alice-77"}),
        owner="acme-1",
    )  # fmt: skip
    assert row["request_id"] == "alice-77-req"
    assert rest == {
        "path": "/users/<USER>/of/<TENANT>",
        "wide": "malice-778",
        "n": "<SESSION>",
        "m": 9080701,
        "nested": {"who": ["<USER>"]},
        "span.events": [{"name": "note", "attributes": {"text": "hello <USER>"}}],
    }
    assert "acme-1" not in row["resource_attributes_redacted"]


def test_short_values_are_kept_when_they_could_be_anything(read_both: ReadBoth) -> None:
    _, rest = read_both(
        {**CHAT, "user.id": "al", "session.id": "2026", "day": "2026-10-13", "note": "al"}
    )
    assert rest == {"day": "2026-10-13", "note": "al"}


def test_blocked_members_are_dropped_when_they_are_inside_values(read_both: ReadBoth) -> None:
    secret = "opensesame2"
    customer = {"password": secret, "Authorization": secret, "accessToken": secret, "plan": "gold"}
    row, rest = read_both(
        {**CHAT, "customer": customer, "list": [customer], "llm": {"headers": {"x": secret}},
         "http": {"request": {"header": {"x-auth": secret}}}},
        builders.event("note", 1, {"customer": customer}),
        customer=customer,
    )  # fmt: skip
    assert rest["customer"] == {"plan": "gold"}
    assert secret not in repr(row)


@pytest.mark.parametrize("as_text", [True, False])
@pytest.mark.parametrize("name", ["metadata", "llm.invocation_parameters"])
def test_blocked_members_are_dropped_when_they_are_inside_an_object(
    read_both: ReadBoth, name: str, *, as_text: bool
) -> None:
    given = {"authorization": "opensesame2", "extra": {"api_key": "opensesame2"}, "k": "v"}
    row, _ = read_both({**LLM, name: json.dumps(given) if as_text else given})
    assert "opensesame2" not in repr(row)
    assert '"v"' in row["attributes_redacted"].replace("\\", "")
