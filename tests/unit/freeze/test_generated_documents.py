"""Ten thousand published documents, read as the gate reads them: none is allowed that may not be.

``test_gate`` asks the rules; here the bytes are published, damaged, forged and replayed.
"""

import base64
import json
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from include.freezeline.freeze.gate import CHANGE_CLASSES
from include.freezeline.freeze.verdict import Question
from include.freezeline.jobs.ask_gate import ask_gate
from tests.unit.freeze.documents import NOW, OTHER_PRIVATE, PRIVATE, PUBLIC, make_document, sign
from tests.unit.freeze.gates import access_to
from tests.unit.freeze.test_gate import _is_permitted

N_GENERATED = 10_000
FEATURES = ("calm", "calm", "calm", "hot", "mending", "odd", "gone", "Calm", "calm ", "")
DAMAGES = ("none", "none", "none", "byte", "byte", "cut", "cut", "empty", "deleted", "forged",
           "unsigned", "spaces", "twice", "other name")  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Published:
    """Bytes, and what they say when they are genuine."""

    data: bytes | None
    document: dict[str, Any] | None


def _publish(rng: random.Random, document: dict[str, Any]) -> _Published:
    """Sign a document and damage it; it stays genuine while its JSON says the same."""
    damage = rng.choice(DAMAGES)
    data = sign(document, OTHER_PRIVATE if damage == "forged" else PRIVATE)
    if damage in ("forged", "deleted", "empty"):
        return _Published({"deleted": None, "empty": b"\n"}.get(damage, data), None)
    place = rng.randrange(len(data))
    damaged = {
        "byte": data[:place] + bytes([data[place] ^ (1 << rng.randrange(8))]) + data[place + 1 :],
        "cut": data[:place],
        "unsigned": json.dumps(document).encode(),
        "spaces": b" \n" + data.replace(b"\n", b"\n  "),
        "twice": data.replace(b'"state": "FROZEN"', b'"state": "FROZEN", "state": "OPEN"', 1),
        "other name": data.replace(b'"feature": "hot"', b'"feature": "calm"'),
    }.get(damage, data)
    is_repeated = damage == "twice" and damaged != data
    is_same = _parsed(damaged) == _parsed(data) and not is_repeated
    return _Published(damaged, document if is_same else None)


def _parsed(data: bytes) -> object:
    """Return what JSON says, or something that equals nothing.

    The last letter of a signature's Base64 has bits that mean nothing.
    """
    try:
        found = json.loads(data)
        found["sig"]["value"] = base64.b64decode(found["sig"]["value"], validate=True)
    except (ValueError, LookupError):
        return object()
    return found


def _draw(rng: random.Random) -> tuple[dict[str, Any], str, datetime]:
    """Draw a document, a feature and a time."""
    document = make_document(sequence=rng.choice([5, 6, 7, 7, 8]))
    for entry in document["features"]:
        if rng.random() < 0.3:
            entry["state"] = rng.choice(["OPEN", "WARNING", "FROZEN", "RECOVERING", "open", ""])
    if rng.random() < 0.2:
        field = rng.choice(["schema_version", "evaluated_at", "valid_until", "features"])
        document[field] = rng.choice(
            [None, "", "2", 3, [], {}, "2026-10-14", "2027-01-01T00:00:00Z"]
        )
    minutes = rng.choice([0, 0, 0, 0, -61, -66, -600, 1739, 1740, 5000])
    return document, rng.choice(FEATURES), NOW + timedelta(minutes=minutes)


@pytest.mark.parametrize("seed", range(2))
def test_no_published_document_is_allowed_when_the_rules_forbid_it(
    tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)  # noqa: S311 - test data
    (tmp_path / "pinned.pem").write_bytes(PUBLIC)
    target = tmp_path / "freeze.json"
    access = access_to(tmp_path, key=tmp_path / "pinned.pem", min_sequence=6)
    n_allowed = n_rollbacks = 0
    for _ in range(N_GENERATED // 2):
        document, feature, now = _draw(rng)
        change_class = rng.choice(CHANGE_CLASSES)
        published = _publish(rng, document)
        target.unlink(missing_ok=True)
        if published.data is not None:
            target.write_bytes(published.data)
        access.memory._seen.clear()
        verdict = ask_gate(access, Question((feature,), "production", change_class), now)
        genuine = published.document if document["sequence"] >= 6 else None
        is_permitted = _is_permitted(genuine, feature, change_class, now)
        assert verdict.is_allowed == is_permitted == (verdict.exit_code == 0), (published, now)
        n_allowed += verdict.is_allowed
        n_rollbacks += change_class == "rollback"
    assert n_rollbacks + 200 < n_allowed < N_GENERATED // 2 - 500
