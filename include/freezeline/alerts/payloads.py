"""Outbox rows as the messages of each API: pure, and within each API's limits.

What comes from traces (a feature's name, say) is data: it is escaped, and never a mention, a link
or a label of its own.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from include.freezeline.alerts.policy import AlertPolicy

Row = Mapping[str, Any]
Payload = dict[str, Any]
SEVERITIES = {"P0": "critical", "P1": "error", "P2": "warning", "P3": "info"}
_VERBS = {
    "OPENED": "opened",
    "ESCALATED": "is more urgent",
    "DEESCALATED": "is less urgent",
    "REFRESHED": "lasts",
    "REMINDED": "still lasts",
    "RESOLVED": "is resolved",
}
_HEADER_CHARS, _SECTION_CHARS, _FIELD_CHARS = 150, 3000, 2000
_SUMMARY_CHARS = 1024
_CUT_ENTITY = re.compile(r"&[a-z]{0,3}$")


@dataclass(frozen=True, slots=True)
class Message:
    """What every payload is made from.

    Attributes:
        event: Row of the outbox.
        policy: Links and cadence.
        at: Time of sending.
    """

    event: Row
    policy: AlertPolicy
    at: datetime

    @property
    def details(self) -> Mapping[str, Any]:
        """The row's numbers."""
        found: Mapping[str, Any] = json.loads(self.event["details"])
        return found

    @property
    def runbook_url(self) -> str | None:
        """Address of the runbook; None where it is only a path."""
        return _address(self.event["runbook"], self.policy.links.runbook_base_url)

    @property
    def report_url(self) -> str | None:
        """Address of the night's report; None without a base."""
        path = f"reports/{self.event['as_of']:%Y-%m-%d}/freeze_report.html"
        return _address(path, self.policy.links.report_base_url)


def slack_payload(message: Message) -> Payload:
    """Return the body for an incoming webhook: Block Kit, with a plain text for notifications."""
    event = message.event
    blocks: list[Payload] = [
        {
            "type": "header",
            "text": {"type": "plain_text", "text": _cut(_title(event), _HEADER_CHARS)},
        },
        _section(_mrkdwn(event["summary"], _SECTION_CHARS)),
        {"type": "section", "fields": [_text(field) for field in _slack_fields(message)]},
    ]
    spenders = "\n".join(f"• {_spender(item)}" for item in message.details.get("contributors", ()))
    if spenders:
        blocks.append(
            _section(_mrkdwn(f"Most excess, suspects and not causes:\n{spenders}", _SECTION_CHARS))
        )
    buttons = [
        {"type": "button", "text": {"type": "plain_text", "text": text}, "url": url}
        for text, url in (("Runbook", message.runbook_url), ("Report", message.report_url))
        if url is not None
    ]
    if buttons:
        blocks.append({"type": "actions", "elements": buttons})
    blocks.append(
        {"type": "context", "elements": [_text(_mrkdwn(_context(message), _FIELD_CHARS))]}
    )
    return {
        "text": _mrkdwn(f"{_title(event)}: {event['summary']}", _SECTION_CHARS),
        "blocks": blocks,
    }


def pagerduty_payload(message: Message, routing_key: str) -> Payload:
    """Return the body for Events API v2: one incident from the first word to the last."""
    event = message.event
    base: Payload = {"routing_key": routing_key, "dedup_key": event["dedup_key"]}
    if event["transition"] == "RESOLVED":
        return {**base, "event_action": "resolve"}
    links = [
        {"href": url, "text": text}
        for text, url in (("Runbook", message.runbook_url), ("Report", message.report_url))
        if url is not None
    ]
    return {
        **base,
        "event_action": "trigger",
        "payload": {
            "summary": _cut(f"{event['tier']} {event['summary']}", _SUMMARY_CHARS),
            "severity": SEVERITIES[event["tier"]],
            "source": f"freezeline/{event['environment']}",
            "timestamp": _iso(event["transitioned_at"]),
            "component": event["feature"] or "(none)",
            "group": event["family"],
            "class": event["signal"],
            "custom_details": {
                **message.details,
                "owner": event["owner"],
                "runbook": event["runbook"],
                "composite_score": event["composite_score"],
            },
        },
        "client": "Freezeline",
        **({"client_url": message.report_url} if message.report_url else {}),
        "links": links,
    }


def alertmanager_payload(message: Message) -> list[Payload]:
    """Return the body of ``POST /api/v2/alerts``.

    Labels are the identity and hold no numbers. The tier is one of them, for routes and
    inhibition, so a change of tier ends the alert with the earlier one.
    """
    event = message.event
    is_over = event["transition"] == "RESOLVED"
    ends_at = event["transitioned_at"] if is_over else message.at + _lifetime(message.policy)
    alerts = [_alert(message, event["tier"], ends_at)]
    earlier = event["earlier_tier"]
    if earlier is not None and earlier != event["tier"]:
        alerts.append(_alert(message, earlier, event["transitioned_at"]))
    return alerts


def webhook_payload(message: Message) -> Payload:
    """Return the body for a receiver of the house: the row, with times as texts."""
    event = message.event
    copied = (
        "alert_event_key", "dedup_key", "transition", "feature", "environment", "signal", "family",
        "tier", "earlier_tier", "composite_score", "owner", "runbook", "summary",
    )  # fmt: skip
    times = ("as_of", "episode_started_at", "transitioned_at")
    return {
        "schema_version": "1",
        **{name: event[name] for name in copied},
        **{name: _iso(event[name]) for name in times},
        "sent_at": _iso(message.at),
        "runbook_url": message.runbook_url,
        "report_url": message.report_url,
        "details": message.details,
    }


def _alert(message: Message, tier: str, ends_at: datetime) -> Payload:
    """Return one alert of Alertmanager."""
    event = message.event
    url = message.report_url
    return {
        "labels": {
            "alertname": "Freezeline",
            "slo_id": event["signal"],
            # A missing label equals an empty one: inhibition by it would mute everything.
            "feature": event["feature"] or "(none)",
            "environment": event["environment"] or "(none)",
            "family": event["family"],
            "owner": event["owner"],
            "tier": tier,
            "severity": SEVERITIES[tier],
        },
        "annotations": {
            "summary": event["summary"],
            "runbook": message.runbook_url or event["runbook"],
            "dedup_key": event["dedup_key"],
            "composite_score": _number(event["composite_score"]),
        },
        "startsAt": _iso(event["episode_started_at"]),
        "endsAt": _iso(ends_at),
        **({"generatorURL": url} if url else {}),
    }


def _lifetime(policy: AlertPolicy) -> timedelta:
    """Return how long an alert lives that is not sent again: past the next run."""
    return timedelta(hours=policy.cadence_hours * policy.ends_after_cadences)


def _title(event: Row) -> str:
    """Return what happened in a few words."""
    where = f"{event['feature']} ({event['environment']})"
    return f"{event['tier']} {event['signal']} of {where} {_VERBS[event['transition']]}"


def _slack_fields(message: Message) -> Iterator[str]:
    """Yield the fields of a Slack message, ten at most."""
    event, details = message.event, message.details
    named = [
        ("Tier", event["tier"]),
        ("Family", event["family"]),
        ("Owner", event["owner"]),
        ("Since", f"{event['episode_started_at']:%Y-%m-%d %H:%M}Z"),
        ("Composite", _number(event["composite_score"])),
        ("Budget spent", _share(details.get("consumed_lower_ratio"), details.get("consumed_pct_lower"))),
        ("Burn, 24 h", _number(details.get("burn_rate_24h"))),
        ("Worst 24 h", _share(details.get("worst_24h_ratio"), None)),
        ("Earliest thaw", details.get("earliest_thaw_at") or "unknown"),
        ("Runbook", event["runbook"]),
    ]  # fmt: skip
    for name, value in named:
        if value != "unknown":
            yield _mrkdwn(f"*{name}* {value}", _FIELD_CHARS)


def _context(message: Message) -> str:
    """Say what the message rests on."""
    event, details = message.event, message.details
    through = details.get("data_through_at") or _iso(event["as_of"])
    return f"known before {_iso(event['as_of'])}, data through {through} · {event['dedup_key']}"


def _spender(item: Mapping[str, Any]) -> str:
    """Say who overspent, by how much."""
    return (
        f"{item['dimension']} {item['dimension_value']}: {item['bad_count']} bad of "
        f"{item['event_count']}, {item['excess_bad_count']:.1f} more than its share"
    )


def _section(text: str) -> Payload:
    """Return a section of one text."""
    return {"type": "section", "text": _text(text)}


def _text(text: str) -> Payload:
    """Return a text object."""
    return {"type": "mrkdwn", "text": text}


def _mrkdwn(text: str, limit: int) -> str:
    """Escape what Slack would read as a mention or link, and cut to a limit between entities."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if len(escaped) <= limit:
        return escaped or "(none)"
    return f"{_CUT_ENTITY.sub('', escaped[: limit - 1])}…"


def _cut(text: str, limit: int) -> str:
    """Return one line of a limited length that shows all it holds."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def _address(path: str, base: str | None) -> str | None:
    """Return an address as it is, or a path behind a base."""
    if path.startswith(("http://", "https://")):
        return path
    return None if base is None else f"{base}/{path}"


def _number(value: float | None) -> str:
    """Write a number for people."""
    return "unknown" if value is None else f"{value:.3g}"


def _share(ratio: float | None, percent: float | None) -> str:
    """Write a share in percent, from either form."""
    known = percent if ratio is None else 100 * ratio
    return "unknown" if known is None else f"{known:.1f}%"


def _iso(moment: datetime) -> str:
    """Write a UTC time as the APIs read it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
