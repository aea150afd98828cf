"""Ids and times that facts are joined on come out as they went in."""

import json
import uuid
from collections.abc import Iterator

import numpy as np
import pytest

from include.freezeline.redaction.engine import Redactor

N_KEYS = 200_000
_CROCKFORD = np.array(list("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
_SHAPES = (
    "{}",
    "request {} failed, see {}.",
    '{{"trace_id": "{}"}}',
    "GET /v1/runs/{}?after=3",
    "[{}] retried",
)


def join_keys(rng: np.random.Generator, n_keys: int) -> Iterator[str]:
    """Yield made-up join keys: UUIDs, ULIDs, hex ids of 16 and 32 digits, epoch numbers.

    Args:
        rng: Random numbers.
        n_keys: How many; each kind has its share.
    """
    n_each = n_keys // 9
    hexes = rng.bytes(16 * n_each).hex()
    for index in range(n_each):
        text = hexes[32 * index : 32 * index + 32]
        yield str(uuid.UUID(hex=text))
        yield str(uuid.UUID(hex=text, version=4)).upper()
        yield text
        # A span id of digits only that passes a card's checks is a card number in all but name.
        yield text[:16] if not text[:16].isdigit() else f"f{text[:15]}"
        yield "01J" + "".join(_CROCKFORD[rng.integers(0, 32, 23)])
        second = int(1_500_000_000 + rng.integers(0, 400_000_000))
        for scale in (1, 10**3, 10**6, 10**9):
            yield str(second * scale + int(rng.integers(0, scale)))


@pytest.fixture(scope="module")
def keys() -> list[str]:
    return list(join_keys(np.random.default_rng(11), N_KEYS))


def test_keys_pass_unchanged_alone_and_inside_sentences(
    redactor: Redactor, keys: list[str]
) -> None:
    assert len(keys) >= N_KEYS - 9
    texts = [_SHAPES[index % len(_SHAPES)].replace("{}", key) for index, key in enumerate(keys)]
    scope = redactor.scope()
    changed = [
        (text, result.text)
        for text, result in zip(texts, scope.redact_texts(texts), strict=True)
        if result.text != text
    ]
    assert changed == []


def test_keys_pass_unchanged_in_json_as_texts_and_numbers(
    redactor: Redactor, keys: list[str]
) -> None:
    scope = redactor.scope()
    for start in range(0, len(keys), 50):
        part = keys[start : start + 50]
        numbers = [int(key) for key in part if key.isdigit()]
        text = json.dumps({"ids": part, "times": numbers, "note": f"from {part[0]} to {part[-1]}"})
        result = scope.redact_json(text)
        assert (result.findings, result.text == text) == ((), True), part
