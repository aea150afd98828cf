"""JSON Schemas of what each API takes, written from its documentation.

PagerDuty: Events API v2 (api-schema, reference/events-v2). Slack: Block Kit reference, limits of
blocks and text objects. Alertmanager: api/v2/openapi.yaml, ``postableAlerts``. Unknown keys are
refused where the API's own schema names every key.
"""

from collections.abc import Mapping
from typing import Any

import jsonschema

_URL = {"type": "string", "pattern": "^https?://"}
_TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"}


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {
        "type": "object", "required": required, "properties": properties,
        "additionalProperties": False,
    }  # fmt: skip


_KEY = {"type": "string", "minLength": 1, "maxLength": 255}
PAGERDUTY = {
    "oneOf": [
        _object(
            ["routing_key", "event_action", "dedup_key"],
            routing_key={"type": "string", "minLength": 32, "maxLength": 32},
            event_action={"enum": ["acknowledge", "resolve"]},
            dedup_key=_KEY,
        ),
        _object(
            ["routing_key", "event_action", "payload"],
            routing_key={"type": "string", "minLength": 32, "maxLength": 32},
            event_action={"const": "trigger"},
            dedup_key=_KEY,
            payload=_object(
                ["summary", "source", "severity"],
                summary={"type": "string", "minLength": 1, "maxLength": 1024},
                source={"type": "string", "minLength": 1},
                severity={"enum": ["critical", "error", "warning", "info"]},
                timestamp=_TIME,
                component={"type": "string"},
                group={"type": "string"},
                **{"class": {"type": "string"}},
                custom_details={"type": "object"},
            ),
            client={"type": "string"},
            client_url=_URL,
            links={"type": "array", "items": _object(["href"], href=_URL, text={"type": "string"})},
            images={"type": "array"},
        ),
    ]
}


def _plain(limit: int) -> dict[str, Any]:
    return _object(
        ["type", "text"], type={"const": "plain_text"}, emoji={"type": "boolean"},
        text={"type": "string", "minLength": 1, "maxLength": limit},
    )  # fmt: skip


# A mention, channel or link is written in angle brackets: a text of ours never holds one.
def _mrkdwn(limit: int) -> dict[str, Any]:
    return _object(
        ["type", "text"], type={"const": "mrkdwn"}, verbatim={"type": "boolean"},
        text={"type": "string", "minLength": 1, "maxLength": limit, "pattern": "^[^<>]*$"},
    )  # fmt: skip


_BLOCK_ID = {"type": "string", "maxLength": 255}
SLACK = _object(
    ["text", "blocks"],
    text={"type": "string", "minLength": 1, "maxLength": 40_000, "pattern": "^[^<>]*$"},
    blocks={
        "type": "array",
        "minItems": 1,
        "maxItems": 50,
        "items": {
            "oneOf": [
                _object(["type", "text"], type={"const": "header"}, text=_plain(150), block_id=_BLOCK_ID),
                _object(["type", "text"], type={"const": "section"}, text=_mrkdwn(3000), block_id=_BLOCK_ID),
                _object(
                    ["type", "fields"], type={"const": "section"}, block_id=_BLOCK_ID,
                    fields={"type": "array", "minItems": 1, "maxItems": 10, "items": _mrkdwn(2000)},
                ),
                _object(
                    ["type", "elements"], type={"const": "context"}, block_id=_BLOCK_ID,
                    elements={"type": "array", "minItems": 1, "maxItems": 10, "items": _mrkdwn(3000)},
                ),
                _object(
                    ["type", "elements"], type={"const": "actions"}, block_id=_BLOCK_ID,
                    elements={
                        "type": "array", "minItems": 1, "maxItems": 25,
                        "items": _object(
                            ["type", "text", "url"], type={"const": "button"}, text=_plain(75),
                            url={**_URL, "maxLength": 3000},
                        ),
                    },
                ),
            ]
        },
    },
)  # fmt: skip

_LABELS = {
    "type": "object",
    "required": ["alertname"],
    "propertyNames": {"pattern": "^[a-zA-Z_][a-zA-Z0-9_]*$"},
    # Alertmanager drops a label without a value, and the alert is another one then.
    "additionalProperties": {"type": "string", "minLength": 1},
}
ALERTMANAGER = {
    "type": "array",
    "minItems": 1,
    "items": _object(
        ["labels"],
        labels=_LABELS,
        annotations={"type": "object", "additionalProperties": {"type": "string"}},
        startsAt=_TIME,
        endsAt=_TIME,
        generatorURL=_URL,
    ),
}
WEBHOOK = _object(
    ["schema_version", "alert_event_key", "dedup_key", "transition", "tier", "owner", "runbook",
     "summary", "feature", "environment", "signal", "family", "as_of", "sent_at", "details"],
    schema_version={"const": "1"},
    **{name: {"type": "string"} for name in (
        "alert_event_key", "dedup_key", "feature", "environment", "signal", "family", "owner",
        "runbook", "summary")},
    **dict.fromkeys(("as_of", "episode_started_at", "transitioned_at", "sent_at"), _TIME),
    **{name: {"anyOf": [_URL, {"type": "null"}]} for name in ("runbook_url", "report_url")},
    transition={"enum": ["OPENED", "ESCALATED", "DEESCALATED", "REMINDED", "RESOLVED"]},
    tier={"enum": ["P0", "P1", "P2", "P3"]},
    earlier_tier={"enum": ["P0", "P1", "P2", "P3", None]},
    composite_score={"type": ["number", "null"]},
    details={"type": "object"},
)  # fmt: skip

SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "pagerduty": PAGERDUTY, "slack": SLACK, "alertmanager": ALERTMANAGER, "webhook": WEBHOOK,
}  # fmt: skip


def check(kind: str, body: Any) -> None:
    """Refuse what the API would refuse."""
    jsonschema.validate(body, SCHEMAS[kind])
    if kind == "alertmanager":
        assert all(alert["startsAt"] <= alert["endsAt"] for alert in body)
