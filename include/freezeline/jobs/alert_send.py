"""Send: tell each channel the last word about each alert, once, and record every attempt."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from include.freezeline.adapters.alert_channels import (
    AlertConnection,
    Outcome,
    Resolve,
    connection_of_url,
    send_message,
)
from include.freezeline.adapters.warehouse import Warehouse, open_warehouse
from include.freezeline.alerts.outbox import DELIVERED, FAILED, Due, due_events
from include.freezeline.alerts.payloads import (
    Message,
    alertmanager_payload,
    pagerduty_payload,
    slack_payload,
    webhook_payload,
)
from include.freezeline.alerts.policy import AlertPolicy, Channel, load_alert_policy
from include.freezeline.config import config_dir
from include.freezeline.contracts.judgement import ALERT_DELIVERIES
from include.freezeline.errors import AlertError
from include.freezeline.hashing import stable_hash
from include.freezeline.jobs.alert_reads import newest_decided
from include.freezeline.reports.queries import has_table
from include.freezeline.settings import Settings

Row = dict[str, Any]
Send = Callable[[Channel, AlertConnection, Message], Outcome]
# A dead channel must not hold a night up for every alert.
_GIVE_UP_AFTER = 3
_EVENTS_SQL = "select * from judgement.alert_events order by transitioned_at, dedup_key"


@dataclass(frozen=True, slots=True)
class SendSummary:
    """What was sent.

    Attributes:
        n_delivered: Messages that a channel took.
        n_failed: Messages that none took; later runs try again while they are true.
        n_pages: Of the delivered, those that asked somebody to come.
        is_over_page_budget: Whether that is more than ``page_budget``.
        is_backfill: Whether the night is a past one, so that nothing was sent.
        failures: What happened, by channel.
    """

    n_delivered: int = 0
    n_failed: int = 0
    n_pages: int = 0
    is_over_page_budget: bool = False
    is_backfill: bool = False
    failures: dict[str, str] | None = None


def send_alerts(
    settings: Settings,
    as_of: datetime,
    at: datetime,
    resolve: Resolve,
    *,
    send: Send = send_message,
) -> SendSummary:
    """Send what is due; a channel that fails does not hold up the others.

    Args:
        settings: Where warehouse and policy are.
        as_of: The run's night; a past one sends nothing.
        at: Time of sending.
        resolve: Returns the connection of a name.
        send: Sends one message.

    Raises:
        AlertError: A channel did not take a message, after everything else was sent. What was
            delivered is recorded, so trying again sends the rest only.
    """
    summary = try_sending(settings, as_of, at, resolve, send=send)
    if summary.n_failed:
        said = "; ".join(f"{name}: {why}" for name, why in (summary.failures or {}).items())
        message = (
            f"{summary.n_failed} alerts were not delivered, {summary.n_delivered} were ({said}; "
            "mend the channel and clear this task, or wait for the next run)"
        )
        raise AlertError(message)
    return summary


def try_sending(
    settings: Settings,
    as_of: datetime,
    at: datetime,
    resolve: Resolve,
    *,
    send: Send = send_message,
) -> SendSummary:
    """Send what is due and say what became of it; see :func:`send_alerts`."""
    policy = load_alert_policy(config_dir(settings))
    due = load_due(settings, policy, as_of, at)
    if due is None:
        return SendSummary(is_backfill=True)
    outcomes = []
    n_failed: Counter[str] = Counter()
    for each in due:
        name = each.channel.name
        if n_failed[name] >= _GIVE_UP_AFTER:
            outcome = Outcome(
                FAILED, None, 0, f"not tried: it failed {n_failed[name]} times in a row"
            )
        else:
            outcome = _send_one(each, policy, at, resolve, send)
            n_failed[name] = n_failed[name] + 1 if outcome.status == FAILED else 0
        _record(settings, each, outcome, at)
        outcomes.append((each, outcome))
    return _summarise(outcomes, policy)


def load_due(
    settings: Settings, policy: AlertPolicy, as_of: datetime, at: datetime
) -> list[Due] | None:
    """Return what is due now; None when the night is not the newest one."""
    with open_warehouse(settings.warehouse_path, read_only=True) as warehouse:
        if not has_table(warehouse, "judgement", ALERT_DELIVERIES.name):
            return []  # a warehouse of an older release: nothing was ever planned
        newest = newest_decided(warehouse)
        if newest is not None and as_of < newest:
            return None
        return due_events(warehouse.rows(_EVENTS_SQL), _deliveries(warehouse), policy, at)


def rendered(due: Due, policy: AlertPolicy, at: datetime) -> Any:
    """Return the message that would be sent, without secrets."""
    message = Message(due.event, policy, at)
    if due.channel.kind == "pagerduty":
        return pagerduty_payload(message, "(routing key)")
    builders: dict[str, Callable[[Message], Any]] = {
        "slack": slack_payload,
        "alertmanager": alertmanager_payload,
        "webhook": webhook_payload,
    }
    return builders[due.channel.kind](message)


def settings_connections(settings: Settings) -> Resolve:
    """Return the resolver for the command line: ``FREEZELINE_ALERT_CONNECTIONS``."""

    def resolve(name: str) -> AlertConnection:
        if name not in settings.alert_connections:
            known = ", ".join(sorted(settings.alert_connections)) or "none"
            message = (
                f"connection {name}: not in FREEZELINE_ALERT_CONNECTIONS (there: {known}; add it)"
            )
            raise AlertError(message)
        return connection_of_url(name, settings.alert_connections[name].get_secret_value())

    return resolve


def check_channel(
    settings: Settings, name: str, at: datetime, resolve: Resolve, *, send: Send = send_message
) -> Outcome:
    """Send a test message to a channel, on or off, and take it back where that can be done.

    Raises:
        AlertError: There is no such channel or connection.
    """
    policy = load_alert_policy(config_dir(settings))
    channel = next((each for each in policy.channels if each.name == name), None)
    if channel is None:
        known = ", ".join(each.name for each in policy.channels) or "none"
        message = f"{name}: no such channel in alerts.yml (there: {known})"
        raise AlertError(message)
    connection = resolve(channel.connection)
    outcome = send(channel, connection, Message(_test_event("OPENED", at), policy, at))
    if outcome.status == DELIVERED and channel.kind in ("pagerduty", "alertmanager"):
        return send(channel, connection, Message(_test_event("RESOLVED", at), policy, at))
    return outcome


def _send_one(due: Due, policy: AlertPolicy, at: datetime, resolve: Resolve, send: Send) -> Outcome:
    """Send one message; a connection that is not there is a failure like any other."""
    try:
        connection = resolve(due.channel.connection)
    except AlertError as error:
        return Outcome(FAILED, None, 0, str(error))
    return send(due.channel, connection, Message(due.event, policy, at))


def _record(settings: Settings, due: Due, outcome: Outcome, at: datetime) -> None:
    """Record an attempt at once, so that a run that dies next sends nothing twice."""
    key = due.event["alert_event_key"]
    row = {
        "alert_delivery_key": stable_hash(key, due.channel.name, at),
        "as_of": due.event["as_of"],
        "alert_event_key": key,
        "channel": due.channel.name,
        "channel_kind": due.channel.kind,
        "attempted_at": at,
        "delivery_status": outcome.status,
        "http_status_code": outcome.http_status,
        "try_count": outcome.n_tries,
        "is_page": due.is_page and outcome.status == DELIVERED,
        "reason": outcome.reason,
    }
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        warehouse.append_revisions(ALERT_DELIVERIES, [row])


def _deliveries(warehouse: Warehouse) -> list[Row]:
    """Load what became of every message, of an attempt that was recorded twice the last word."""
    return warehouse.rows(
        "select * from judgement.alert_deliveries qualify row_number() over "
        "(partition by alert_delivery_key order by revision desc) = 1"
    )


def _summarise(outcomes: Sequence[tuple[Due, Outcome]], policy: AlertPolicy) -> SendSummary:
    """Count what was sent."""
    failed = [(due, outcome) for due, outcome in outcomes if outcome.status == FAILED]
    delivered = [due for due, outcome in outcomes if outcome.status == DELIVERED]
    n_pages = sum(due.is_page for due in delivered)
    return SendSummary(
        n_delivered=len(delivered),
        n_failed=len(failed),
        n_pages=n_pages,
        is_over_page_budget=n_pages > policy.page_budget,
        failures={due.channel.name: outcome.reason for due, outcome in reversed(failed)},
    )


def _test_event(transition: str, at: datetime) -> Row:
    """Return an event that says that it is a test."""
    return {
        "alert_event_key": stable_hash("test", transition, at),
        "as_of": at,
        "dedup_key": f"freezeline:test:{at:%Y-%m-%dT%H%M%SZ}",
        "transition": transition,
        "feature": "freezeline-test",
        "environment": "test",
        "signal": "test-channel",
        "family": "errors",
        "tier": "P3",
        "earlier_tier": None,
        "episode_started_at": at,
        "transitioned_at": at,
        "composite_score": None,
        "owner": "freezeline",
        "runbook": "docs/alerts.md",
        "summary": "A test of this channel by `freezeline alerts test-channel`; nothing is wrong.",
        "details": json.dumps({"is_test": True}),
    }
