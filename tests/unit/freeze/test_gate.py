"""The gate's rules and the signature: a wrong allow must be impossible."""

import json
import random
from datetime import datetime, timedelta
from typing import Any

import pytest

from include.freezeline.errors import DocumentError
from include.freezeline.freeze.gate import CHANGE_CLASSES, EXEMPT_CLASSES, answer_gate
from include.freezeline.freeze.signing import public_key_of, verify_document
from tests.unit.freeze.documents import (
    NOW,
    OTHER_PRIVATE,
    PRIVATE,
    PUBLIC,
    make_document,
    sign,
)

N_GENERATED = 10_000


@pytest.mark.parametrize(
    ("feature", "change_class", "exit_code", "reason"),
    [
        ("calm", "feature", 0, "open"),
        ("hot", "feature", 3, "frozen"),
        ("hot", "canary", 3, "frozen"),
        ("hot", "security_fix", 0, "exempt_change_class"),
        ("mending", "feature", 3, "frozen"),
        ("mending", "canary", 0, "canary_in_recovery"),
        ("odd", "feature", 3, "frozen"),
        ("renamed", "feature", 5, "unknown_feature"),
        ("renamed", "security_fix", 5, "unknown_feature"),
        ("renamed", "rollback", 0, "exempt_change_class"),
    ],
)
def test_gate_follows_the_state_when_document_is_fresh(
    feature: str, change_class: str, exit_code: int, reason: str
) -> None:
    answer = answer_gate(make_document(), feature, "production", change_class, NOW)
    assert (answer.exit_code, answer.reason) == (exit_code, reason)


def test_gate_keeps_environments_apart_when_states_differ() -> None:
    document = make_document()
    assert answer_gate(document, "calm", "production", "feature", NOW).exit_code == 0
    assert answer_gate(document, "calm", "staging", "feature", NOW).exit_code == 3
    assert answer_gate(document, "calm", "canary-cell", "feature", NOW).exit_code == 5


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"valid_until": "2026-10-14T01:00:00Z"}, "stale"),
        ({"evaluated_at": "2026-10-14T01:05:01Z"}, "unverifiable"),
        ({"evaluated_at": "2026-10-14T00:00:00"}, "unverifiable"),
        ({"evaluated_at": None}, "unverifiable"),
        ({"valid_until": "2026-10-13T00:00:00Z"}, "unverifiable"),
        ({"valid_until": 99999999999}, "unverifiable"),
        ({"schema_version": "2"}, "unverifiable"),
        ({"sequence": "many"}, "unverifiable"),
        ({"sequence": 2}, "unverifiable"),
    ],
)
def test_gate_blocks_features_when_document_cannot_be_trusted(
    changes: dict[str, Any], reason: str
) -> None:
    document = make_document(**changes)
    answer = answer_gate(document, "calm", "production", "feature", NOW, min_sequence=5)
    assert (answer.exit_code, answer.reason) == (4, reason)


def test_gate_lets_fixes_pass_when_document_is_genuine_but_old() -> None:
    document, late = make_document(), NOW + timedelta(days=9)
    codes = {
        c: answer_gate(document, "hot", "production", c, late).exit_code for c in CHANGE_CLASSES
    }
    assert codes == {c: 0 if c in EXEMPT_CLASSES else 4 for c in CHANGE_CLASSES}


def test_gate_lets_only_rollbacks_pass_when_there_is_no_document() -> None:
    codes = {c: answer_gate(None, "hot", "production", c, NOW).exit_code for c in CHANGE_CLASSES}
    assert codes == {c: 0 if c == "rollback" else 4 for c in CHANGE_CLASSES}


def test_gate_blocks_when_feature_is_listed_twice() -> None:
    document = make_document()
    document["features"] += [{**document["features"][0], "state": "OPEN"}]
    assert answer_gate(document, "calm", "production", "feature", NOW).exit_code == 5


def test_signature_verifies_when_nothing_was_changed() -> None:
    assert verify_document(sign(make_document()), [PUBLIC]) == make_document()
    rotated = [public_key_of(OTHER_PRIVATE), PUBLIC]
    assert verify_document(sign(make_document()), rotated)["sequence"] == 7


def _unsigned() -> bytes:
    return json.dumps(make_document()).encode()


def _other_algorithm() -> bytes:
    document = json.loads(sign(make_document()))
    document["sig"]["alg"] = "none"
    return json.dumps(document).encode()


def _relabelled() -> bytes:
    document = json.loads(sign(make_document(), OTHER_PRIVATE))
    document["sig"]["kid"] = json.loads(sign(make_document()))["sig"]["kid"]
    return json.dumps(document).encode()


def _repeated_name() -> bytes:
    return sign(make_document()).replace(b'"features"', b'"features": [], "features"', 1)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"\xff\xfe{}", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"[" * 100_000, "not JSON"),
        (_unsigned(), "not signed"),
        (_other_algorithm(), "not signed"),
        (sign(make_document(), OTHER_PRIVATE), "signed by key"),
        (_relabelled(), "does not match"),
        (_repeated_name(), "not JSON"),
        (sign(make_document()).replace(b"FROZEN", b"OPEN"), "does not match"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_document_is_refused_when_it_is_damaged_or_forged(data: bytes, message: str) -> None:
    with pytest.raises(DocumentError, match=message):
        verify_document(data, [PUBLIC])


def test_document_is_refused_when_truncated_anywhere() -> None:
    data = sign(make_document()).rstrip()
    assert len(data) > 500
    for length in range(len(data)):
        with pytest.raises(DocumentError):
            verify_document(data[:length], [PUBLIC])


def test_no_generated_document_is_allowed_when_the_rules_forbid_it() -> None:
    rng = random.Random(7)  # noqa: S311 - test data
    allowed = 0
    for _ in range(N_GENERATED):
        document, feature, change_class, now = _generate(rng)
        answer = answer_gate(document, feature, "production", change_class, now)
        is_permitted = _is_permitted(document, feature, change_class, now)
        assert answer.is_allowed == is_permitted, (document, feature, change_class, now)
        assert answer.is_allowed == (answer.exit_code == 0)
        allowed += answer.is_allowed
    assert 500 < allowed < N_GENERATED - 500


def _generate(rng: random.Random) -> tuple[dict[str, Any] | None, str, str, datetime]:
    """Draw a document that is often a little wrong, and a question."""
    document: dict[str, Any] | None = make_document()
    now = NOW + timedelta(minutes=rng.choice([0, 0, 0, -61, -66, -600, 1739, 1740, 5000]))
    if document is not None and rng.random() < 0.5:
        field = rng.choice(["schema_version", "evaluated_at", "valid_until", "features", "all"])
        if field == "all":
            document = None
        elif rng.random() < 0.5:
            del document[field]
        else:
            document[field] = rng.choice(
                [None, "", "1", 3, [], {}, "2026-10-14", "2027-01-01T00:00:00Z"]
            )
    feature = rng.choice(["calm", "calm", "calm", "hot", "mending", "odd", "gone", ""])
    return document, feature, rng.choice(CHANGE_CLASSES), now


def _is_permitted(
    document: dict[str, Any] | None, feature: str, change_class: str, now: datetime
) -> bool:
    """Restate the rules plainly: what has to hold for a change to ship."""
    if change_class == "rollback":
        return True
    try:
        assert document is not None
        assert document["schema_version"] == "1"
        evaluated_at = datetime.fromisoformat(document["evaluated_at"])
        valid_until = datetime.fromisoformat(document["valid_until"])
        assert evaluated_at < valid_until
        assert evaluated_at <= now + timedelta(minutes=5)
        states = {item["feature"]: item["state"] for item in document["features"]
                  if item["environment"] == "production"}  # fmt: skip
        state = states[feature]
    except (AssertionError, KeyError, TypeError, ValueError, AttributeError):
        return False
    if change_class in EXEMPT_CLASSES:
        return True
    is_shipping = state in ("OPEN", "WARNING")
    return now < valid_until and (
        is_shipping or (state == "RECOVERING" and change_class == "canary")
    )


def test_signing_key_gives_the_same_bytes_when_used_again() -> None:
    assert sign(make_document(), PRIVATE) == sign(make_document(), PRIVATE)
