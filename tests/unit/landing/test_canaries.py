"""Canaries are planted everywhere, looked for in what comes out, and the same on a re-run."""

import json
from datetime import UTC, datetime

import pytest

from include.freezeline.landing.canaries import (
    Canary,
    canary_rows,
    canary_seed,
    plant_canaries,
)
from include.freezeline.redaction.made_up import MAKERS

NIGHT = datetime(2026, 10, 1, tzinfo=UTC)


def test_every_type_is_planted_in_every_place() -> None:
    canaries, document = plant_canaries(canary_seed(NIGHT), 2)
    spans = json.loads(document)["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert len(spans) == len(canaries) == 2 * 5 * len(MAKERS)
    texts = [json.dumps(span, ensure_ascii=False).replace("\\", "") for span in spans]
    assert all(canary.value in text for canary, text in zip(canaries, texts, strict=True))


def test_a_night_plants_the_same_again_and_another_night_other_values() -> None:
    first = plant_canaries(canary_seed(NIGHT), 1)
    assert first == plant_canaries(canary_seed(NIGHT), 1)
    assert first != plant_canaries(canary_seed(NIGHT.replace(day=2)), 1)


def test_rows_count_what_did_not_come_out_again() -> None:
    canaries = [Canary("EMAIL", f"a{number}@example.com") for number in range(4)]
    canaries.append(Canary("TOKEN", 'with "quotes"'))
    rows = canary_rows(canaries, ["to a2@example.com", r'"with \"quotes\""'], NIGHT)
    assert [(row["entity_type"], row["planted_count"], row["found_count"]) for row in rows] == [
        ("EMAIL", 4, 3),
        ("TOKEN", 1, 0),
    ]
    assert rows[0]["recall_ratio"] == 0.75
    # Jeffreys: the 2.5% quantile of Beta(3.5, 1.5).
    assert rows[0]["recall_lower_ratio"] == pytest.approx(0.2835, abs=5e-4)
    assert rows[1]["recall_lower_ratio"] == 0.0
