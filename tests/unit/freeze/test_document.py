"""What the freeze document says about who spent the budget."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from include.freezeline.freeze.document import build_document

NIGHT = datetime(2026, 10, 14, tzinfo=UTC)


def _flag(state: str, slos: dict[str, tuple[str, str]]) -> dict[str, Any]:
    """Return a flag whose SLOs have a verdict and a consequence."""
    listed = [
        {"slo_id": name, "verdict": verdict, "consequence": consequence}
        for name, (verdict, consequence) in slos.items()
    ]
    return {
        "feature": "f",
        "environment": "production",
        "state": state,
        "is_frozen": state in ("FROZEN", "RECOVERING"),
        "since_at": NIGHT,
        "reason": "sample",
        "evaluations_json": json.dumps({"slos": listed}),
        "earliest_thaw_at": None,
        "data_through_at": NIGHT,
        "evaluated_at": NIGHT,
        "valid_until_at": NIGHT,
        "revision": 1,
    }


def _spender(slo_name: str) -> dict[str, Any]:
    """Return an attribution above its share."""
    return {
        "feature": "f",
        "environment": "production",
        "slo_name": slo_name,
        "dimension": "prompt_version",
        "dimension_value": f"of {slo_name}",
        "event_count": 100,
        "bad_count": 20,
        "bad_ratio": 0.2,
        "budget_share_ratio": 1.0,
        "excess_bad_count": 15.0,
    }


@pytest.mark.parametrize(
    ("state", "slos", "expected", "advice"),
    [
        ("OPEN", {"calm": ("ok", "freeze"), "late": ("warning", "freeze")}, [], []),
        ("OPEN", {"slow": ("breach", "warn")}, [("slow", "warn")], []),
        (
            "FROZEN",
            {"slow": ("breach", "warn"), "bad": ("breach", "freeze"), "calm": ("ok", "freeze")},
            [("bad", "freeze"), ("slow", "warn")],
            ["ship a fix", "roll back"],
        ),
        (
            "FROZEN",
            {"held": ("insufficient_evidence", "freeze"), "slow": ("breach", "warn")},
            [("slow", "warn")],
            ["ship a fix", "wait"],
        ),
    ],
)
def test_contributors_are_of_slos_in_breach_when_a_night_is_published(
    state: str,
    slos: dict[str, tuple[str, str]],
    expected: list[tuple[str, str]],
    advice: list[str],
) -> None:
    rows = [_spender(name) for name in slos]
    assert rows
    rows += [row | {"dimension": "call_date", "excess_bad_count": 99.0} for row in rows]
    document = build_document([_flag(state, slos)], rows, NIGHT, "file:///report.html")
    (entry,) = document["features"]
    assert [(item["slo_id"], item["consequence"]) for item in entry["contributors"]] == expected
    assert len(entry["what_to_do"]) == len(advice)
    assert all(a.startswith(b) for a, b in zip(entry["what_to_do"], advice, strict=True))
