"""What may be alerted on in a night, of signals, flags and attributions."""

import json
from datetime import timedelta
from typing import Any

from include.freezeline.alerts.observe import observe_night
from tests.unit.alerts.builders import NIGHT, POLICY, signal


def flag(state: str, **changes: Any) -> dict[str, Any]:
    slo = {"slo_id": "support-escalation", "consumed_pct_lower": 112.4, "bad_count": 225,
           "event_count": 4000, "limit": "0.05"}  # fmt: skip
    return {
        "feature": "support-assistant", "environment": "production", "state": state,
        "is_frozen": state in ("FROZEN", "RECOVERING"), "since_at": NIGHT - timedelta(days=1),
        "slo_name": "support-escalation", "reason": "112% spent", "earliest_thaw_at": None,
        "data_through_at": NIGHT, "revision": 1, "evaluations_json": json.dumps({"slos": [slo]}),
        **changes,
    }  # fmt: skip


def observed(signals: Any = (), flags: Any = (), attributions: Any = ()) -> dict[str, Any]:
    found, _ = observe_night(list(signals), flags, attributions, POLICY)
    return {each.identity.signal: each for each in found}


def test_latency_is_nobodys_business_while_the_feature_is_down() -> None:
    slow = signal(state="FAST", strength=1.0)
    down = signal(name="hard-error-rate", family="errors", state="CRITICAL", strength=1.0)
    assert observed([slow])["ttft-p99"].tier == "P2"
    both = observed([slow, down])
    assert (both["ttft-p99"].tier, both["ttft-p99"].is_known) == (None, False)
    assert both["hard-error-rate"].tier == "P0"
    other = signal(name="hard-error-rate", family="errors", state="CRITICAL", feature="other")
    assert observed([slow, other])["ttft-p99"].tier == "P2"


def test_several_families_are_an_alert_of_their_own() -> None:
    found = observed(
        [
            signal(state="FAST", strength=1.0),
            signal(name="support-escalation", family="outcome", state="SLOW", strength=1.0),
        ]
    )
    assert found["composite"].tier == "P1"
    assert (
        "2 families at once (latency, outcome), composite score 0.65" in found["composite"].summary
    )
    assert observed([signal(state="FAST", strength=1.0)])["composite"].tier is None


def test_frozen_release_is_told_with_its_numbers_and_again_each_day() -> None:
    spender = {
        "slo_name": "support-escalation", "feature": "support-assistant",
        "environment": "production", "dimension": "prompt_version", "dimension_value": "v8",
        "bad_count": 200, "event_count": 1000, "excess_bad_count": 150.0,
    }  # fmt: skip
    small = {**spender, "dimension_value": "v7", "excess_bad_count": -20.0}
    day = {**spender, "dimension": "call_date", "dimension_value": "2026-10-12"}
    release = observed(flags=[flag("FROZEN")], attributions=[small, spender, day])["release"]
    assert (release.tier, release.repeat_after) == ("P2", timedelta(hours=24))
    assert release.details["consumed_pct_lower"] == 112.4
    assert [item["dimension_value"] for item in release.details["contributors"]] == ["v8"]
    assert "are FROZEN since 2026-10-13 00:00Z: 112% spent" in release.summary


def test_recovering_release_is_frozen_still_and_not_repeated() -> None:
    assert observed(flags=[flag("RECOVERING")])["release"].tier == "P2"
    assert observed(flags=[flag("RECOVERING")])["release"].repeat_after is None
    for state in ("OPEN", "WARNING"):
        assert observed(flags=[flag(state)])["release"].tier is None


def test_feature_of_which_nothing_is_known_holds_its_composite_alert() -> None:
    assert observed([signal(state="UNKNOWN")])["composite"].is_known is False
