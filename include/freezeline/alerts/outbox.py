"""What is still to be told to whom: pure, from the outbox and what was delivered.

Each channel hears the last word about each alert that it takes, once. What was delivered is not
sent again, what nobody heard needs no all-clear, and what is not true any more is not sent late.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from include.freezeline.alerts.policy import AlertPolicy, Channel, ChannelKind

Row = Mapping[str, Any]
DELIVERED, FAILED, UNCONFIRMED = "delivered", "failed", "unconfirmed"
_DONE = frozenset({DELIVERED, UNCONFIRMED})
_CHANGES = frozenset({"OPENED", "ESCALATED", "DEESCALATED", "REMINDED", "RESOLVED"})
# A person may have closed the incident: only what is worse may open it again.
_HEARS: Mapping[ChannelKind, frozenset[str]] = {
    "slack": _CHANGES,
    "pagerduty": frozenset({"OPENED", "ESCALATED", "RESOLVED"}),
    "alertmanager": _CHANGES | {"REFRESHED"},
    "webhook": _CHANGES,
}
_FOLLOWS = frozenset({"DEESCALATED", "REFRESHED", "RESOLVED"})
_PAGING_TIERS = frozenset({"P0", "P1"})


@dataclass(frozen=True, slots=True)
class Due:
    """An event that a channel is to be told."""

    event: Row
    channel: Channel

    @property
    def is_page(self) -> bool:
        """Whether it asks somebody to come."""
        return (
            self.channel.kind == "pagerduty"
            and self.event["transition"] != "RESOLVED"
            and self.event["tier"] in _PAGING_TIERS
        )


def due_events(
    events: Iterable[Row], deliveries: Iterable[Row], policy: AlertPolicy, at: datetime
) -> list[Due]:
    """Return what is to be sent now, oldest and most urgent first.

    Args:
        events: Rows of the outbox.
        deliveries: Rows of what was tried.
        policy: Channels and how long to try.
        at: Time of sending.
    """
    done: dict[str, set[str]] = {}
    for row in deliveries:
        if row["delivery_status"] in _DONE:
            done.setdefault(row["channel"], set()).add(row["alert_event_key"])
    alerts = _by_alert(events)
    oldest = at - timedelta(hours=policy.give_up_after_hours)
    found = [
        Due(event, channel)
        for channel in policy.channels
        if channel.is_enabled
        for words in alerts
        if words[-1]["transitioned_at"] >= oldest
        for event in _last_word(words, channel, done.get(channel.name, set()))
    ]
    return sorted(found, key=lambda due: (due.event["transitioned_at"], due.event["tier"]))


def _by_alert(events: Iterable[Row]) -> list[list[Row]]:
    """Group what people are to hear by alert, each in order of time."""
    found: dict[str, list[Row]] = {}
    for event in sorted(events, key=lambda row: (row["transitioned_at"], row["dedup_key"])):
        if not event["is_silent"]:
            found.setdefault(event["dedup_key"], []).append(event)
    return list(found.values())


def _last_word(words: Sequence[Row], channel: Channel, done: set[str]) -> list[Row]:
    """Return the event that a channel is still to hear about one alert, if any."""
    now = words[-1]
    has_heard = any(word["alert_event_key"] in done for word in words)
    if not has_heard and (now["transition"] == "RESOLVED" or not _takes(channel, now)):
        return []
    fitting = [
        word
        for word in words
        if word["transition"] in _HEARS[channel.kind]
        and (_takes(channel, word) or (has_heard and word["transition"] in _FOLLOWS))
    ]
    return [word for word in fitting[-1:] if word["alert_event_key"] not in done]


def _takes(channel: Channel, event: Row) -> bool:
    """Whether a channel takes an event of its tier and owner."""
    return channel.takes(event["tier"], event["owner"])
