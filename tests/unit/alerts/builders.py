"""Signals, windows and outbox rows for the tests of alerts."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from include.freezeline.alerts.episodes import Identity, Observation
from include.freezeline.alerts.policy import AlertPolicy, load_alert_policy
from include.freezeline.alerts.signals import Signal
from include.freezeline.config import config_dir
from include.freezeline.settings import Settings

NIGHT = datetime(2026, 10, 14, tzinfo=UTC)
POLICY = load_alert_policy(config_dir(Settings()))
IDENTITY = Identity("production", "ttft-p99", "support-assistant", "latency")


def policy(**changes: Any) -> AlertPolicy:
    """The packaged policy with changes, checked like a file."""
    return AlertPolicy.model_validate({**POLICY.model_dump(), **changes})


def enabled(*kinds: str) -> AlertPolicy:
    """The packaged policy with some channels on."""
    channels = [
        {**channel.model_dump(), "is_enabled": channel.kind in kinds} for channel in POLICY.channels
    ]
    return policy(channels=channels)


def night(number: int) -> datetime:
    """The n-th night."""
    return NIGHT + timedelta(days=number)


def signal(**changes: Any) -> Signal:
    """A signal that is fine unless changed."""
    given: dict[str, Any] = {
        "name": "ttft-p99",
        "family": "latency",
        "feature": "support-assistant",
        "environment": "production",
        "state": "OK",
        "strength": 0.0,
        "owner": "serving",
        "runbook": "docs/slo.md#answers-start-late",
        "words": "Time to first token",
    }
    return Signal(**{**given, **changes})


def observation(tier: str | None, *, is_known: bool = True, **changes: Any) -> Observation:
    """An observation of one alert."""
    given: dict[str, Any] = {
        "identity": IDENTITY,
        "tier": tier,
        "is_known": is_known,
        "owner": "serving",
        "runbook": "docs/slo.md#answers-start-late",
        "summary": "support-assistant (production): Time to first token",
    }
    return Observation(**{**given, **changes})


def window(**changes: Any) -> dict[str, Any]:
    """A row of ``judgement.slo_windows``.

    ``hours`` are bad and all events by window, ``independence`` is that of each of them.
    """
    independence = changes.pop("independence", 1.0)
    hours = changes.pop(
        "hours", {1: (0, 100), 2: (0, 200), 6: (0, 600), 24: (0, 2400), 72: (0, 7200)}
    )
    counts = {
        str(length): {"bad_count": bad, "event_count": every, "independence": independence}
        for length, (bad, every) in hours.items()
    }
    given: dict[str, Any] = {
        "slo_name": "ttft-p99",
        "feature": "support-assistant",
        "environment": "production",
        "objective": "the 99th percentile is below 1.2 s",
        "limit_text": "0.01",
        "window_started_at": NIGHT - timedelta(days=28),
        "window_ended_at": NIGHT,
        "event_count": 60_000,
        "bad_count": 300,
        "bad_lower_ratio": 0.005,
        "consumed_lower_ratio": 0.5,
        "burn_rate_24h": 0.5,
        "bad_24h_ratio": 0.005,
        "worst_24h_ratio": 0.02,
        "time_to_exhaustion_h": None,
        "verdict": "ok",
        "state_hint": "OPEN",
        "reason": "fine",
        "evidence_query": "select 1",
        "burn_windows": json.dumps(
            {"ended_at": NIGHT.isoformat(), "hours": counts, "independence": independence}
        ),
    }
    return {**given, **changes}


def event(**changes: Any) -> dict[str, Any]:
    """A row of the outbox."""
    at = changes.get("transitioned_at", NIGHT)
    given: dict[str, Any] = {
        "alert_event_key": f"key-{changes.get('transition', 'OPENED')}-{at:%Y%m%d}",
        "as_of": at,
        "dedup_key": "freezeline:production:ttft-p99:support-assistant:latency:2026-10-14T000000Z",
        "transition": "OPENED",
        "feature": "support-assistant",
        "environment": "production",
        "signal": "ttft-p99",
        "family": "latency",
        "tier": "P1",
        "earlier_tier": None,
        "episode_started_at": NIGHT,
        "transitioned_at": at,
        "is_silent": False,
        "is_told": True,
        "clean_run_count": 0,
        "reminded_at": None,
        "composite_score": 0.3,
        "owner": "serving",
        "runbook": "docs/slo.md#answers-start-late",
        "summary": "support-assistant (production): Time to first token burns",
        "details": json.dumps(
            {
                "burn_rate_24h": 6.0,
                "consumed_lower_ratio": 0.8,
                "contributors": [
                    {"dimension": "prompt_version", "dimension_value": "v8", "bad_count": 90,
                     "event_count": 400, "excess_bad_count": 86.0},
                ],
            }
        ),
    }  # fmt: skip
    return {**given, **changes}
