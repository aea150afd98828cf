"""The shipped schema of the freeze document refuses what a reader must not meet."""

import json
from typing import Any

import pytest

from include.freezeline.freeze.machine import SEVERITY
from tests.unit.freeze.document_schema import check_document, complaints, load_schema
from tests.unit.freeze.documents import make_document, make_override, sign


def _published(**changes: Any) -> dict[str, Any]:
    """Return a signed document as its readers parse it."""
    document = make_document(**changes)
    document["features"] = [
        {**entry, "slos": [{**slo, "consequence": "freeze"} for slo in entry["slos"]]}
        for entry in document["features"]
        if entry["state"] != "THAWED"
    ]
    found: dict[str, Any] = json.loads(sign(document))
    return found


def test_signed_document_keeps_to_the_schema() -> None:
    check_document(_published())
    check_document(_published(data_through=None))


def test_overrides_keep_to_the_schema() -> None:
    override = make_override()
    document = _published()
    document["features"][1]["overrides"] = [override]
    check_document(document)
    for name in override:
        document["features"][1]["overrides"] = [{k: v for k, v in override.items() if k != name}]
        assert complaints(document)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("schema_version", "2"),
        ("sequence", "7"),
        ("sequence", -1),
        ("sequence", 2**53),
        ("evaluated_at", "2026-10-14T00:00:00"),
        ("evaluated_at", None),
        ("valid_until", "2026-10-14T00:00:00+02:00"),
        ("valid_until", 1795161900),
        ("features", []),
        ("features", [{"feature": "calm"}]),
        ("sig", {"alg": "none", "kid": "0" * 16, "value": ""}),
    ],
)
def test_schema_refuses_when_a_field_is_wrong(name: str, value: object) -> None:
    assert complaints({**_published(), name: value})


def test_schema_requires_every_property_of_the_document() -> None:
    document = _published()
    for name in document:
        assert complaints({key: value for key, value in document.items() if key != name})


def test_schema_lets_new_properties_pass_but_the_test_wants_them_described() -> None:
    document = {**_published(), "novel": 1}
    assert not complaints(document)
    with pytest.raises(AssertionError, match="describe \\['novel'\\]"):
        check_document(document)


def test_states_of_the_schema_are_those_of_the_machine() -> None:
    states = load_schema()["$defs"]["feature"]["properties"]["state"]["enum"]
    assert sorted(states) == sorted(SEVERITY)
