"""Messages fit the APIs they are for, whatever a trace put into a name."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.freezeline.alerts.payloads import (
    Message,
    alertmanager_payload,
    pagerduty_payload,
    slack_payload,
    webhook_payload,
)
from tests.unit.alerts.api_schemas import check
from tests.unit.alerts.builders import NIGHT, POLICY, event, policy
from tests.unit.alerts.receivers import ROUTING_KEY

AT = NIGHT + timedelta(minutes=30)
LINKED = policy(
    links={
        "runbook_base_url": "https://docs.example.com",
        "report_base_url": "https://r.example.com",
    }
)


def payloads(**changes: Any) -> dict[str, Any]:
    message = Message(event(**changes), changes.pop("policy", LINKED), AT)
    return {
        "slack": slack_payload(message),
        "pagerduty": pagerduty_payload(message, ROUTING_KEY),
        "alertmanager": alertmanager_payload(message),
        "webhook": webhook_payload(message),
    }


@pytest.mark.parametrize(
    "transition", ["OPENED", "ESCALATED", "DEESCALATED", "REMINDED", "RESOLVED"]
)
@pytest.mark.parametrize("links", [LINKED, POLICY])
def test_every_message_is_what_its_api_takes(transition: str, links: Any) -> None:
    message = Message(event(transition=transition, earlier_tier="P2"), links, AT)
    check("slack", slack_payload(message))
    check("pagerduty", pagerduty_payload(message, ROUTING_KEY))
    check("alertmanager", alertmanager_payload(message))
    check("webhook", webhook_payload(message))


texts = st.text(max_size=400)


@given(texts, texts, texts, st.sampled_from(["P0", "P1", "P2", "P3"]))
def test_no_name_of_a_trace_breaks_a_message(
    feature: str, environment: str, summary: str, tier: str
) -> None:
    details = {
        "consumed_lower_ratio": None,
        "contributors": [
            {"dimension": "route", "dimension_value": feature * 10, "bad_count": 1,
             "event_count": 2, "excess_bad_count": 1.0},
        ],
    }  # fmt: skip
    given_ = {"feature": feature, "environment": environment, "tier": tier}
    found = payloads(**given_, summary=summary * 10, details=json.dumps(details))
    for kind, body in found.items():
        check(kind, json.loads(json.dumps(body)))


def test_mentions_and_links_of_a_name_are_text_in_slack() -> None:
    found = slack_payload(Message(event(summary="<!channel> & <https://x|y>"), POLICY, AT))
    assert found["blocks"][1]["text"]["text"] == "&lt;!channel&gt; &amp; &lt;https://x|y&gt;"


def test_pagerduty_keeps_one_incident_from_the_first_word_to_the_last() -> None:
    opened = payloads()["pagerduty"]
    worse = payloads(transition="ESCALATED", tier="P0", earlier_tier="P1")["pagerduty"]
    resolved = payloads(transition="RESOLVED")["pagerduty"]
    assert opened["dedup_key"] == worse["dedup_key"] == resolved["dedup_key"]
    assert (opened["payload"]["severity"], worse["payload"]["severity"]) == ("error", "critical")
    assert resolved["event_action"] == "resolve"
    assert opened["payload"]["custom_details"]["owner"] == "serving"
    assert opened["payload"]["custom_details"]["runbook"] == "docs/slo.md#answers-start-late"
    assert opened["links"][0]["href"] == "https://docs.example.com/docs/slo.md#answers-start-late"


def test_alertmanager_alert_outlives_the_next_run_and_its_retries() -> None:
    (alert,) = payloads()["alertmanager"]
    assert datetime.fromisoformat(alert["endsAt"]) == AT + timedelta(hours=60)
    assert alert["startsAt"] == "2026-10-14T00:00:00.000000Z"


def test_alertmanager_labels_hold_no_numbers_and_stay_the_same() -> None:
    (one,) = payloads()["alertmanager"]
    (other,) = payloads(transition="REFRESHED", composite_score=0.9)["alertmanager"]
    assert one["labels"] == other["labels"]
    assert one["annotations"]["composite_score"] != other["annotations"]["composite_score"]


def test_alertmanager_change_of_tier_ends_the_earlier_alert() -> None:
    now, before = payloads(transition="ESCALATED", tier="P0", earlier_tier="P1")["alertmanager"]
    assert (now["labels"]["severity"], before["labels"]["severity"]) == ("critical", "error")
    assert before["endsAt"] == "2026-10-14T00:00:00.000000Z"


def test_alertmanager_resolved_alert_ends_in_the_past() -> None:
    (alert,) = payloads(
        transition="RESOLVED", transitioned_at=NIGHT + timedelta(days=2), as_of=NIGHT
    )["alertmanager"]
    assert alert["endsAt"] == "2026-10-16T00:00:00.000000Z"
