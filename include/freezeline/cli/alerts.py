"""``freezeline alerts``: who was told what, what would be told, and do the channels work?"""

import json
import os
from datetime import datetime
from typing import Any

import click

from include.freezeline.cli.options import AT, FORMAT, read_moment
from include.freezeline.settings import Settings, load_settings

_AS_OF = click.option(
    "--as-of", "as_of_text", help="Night, ISO 8601. [default: the newest decided]"
)


@click.group(name="alerts")
def command() -> None:
    """See, plan and send alerts, and try the channels."""


@command.command(name="list")
@click.option("--open", "is_open", is_flag=True, help="Only alerts that are not resolved.")
@click.option("--silent", "is_silent", is_flag=True, help="Also what nobody was to be told.")
@click.option("--feature", help="Only of one feature.")
@FORMAT
def list_command(*, is_open: bool, is_silent: bool, feature: str | None, output: str) -> None:
    """List the outbox, newest last, with what each channel made of it."""
    from include.freezeline.jobs.alert_list import list_alerts

    found = list_alerts(
        _settings(), is_open=is_open, is_silent=is_silent, feature=feature
    )  # fmt: skip
    if output == "json":
        _print_json(found)
        return
    for row in found:
        click.echo(_line(row))
        for sent in row["deliveries"]:
            click.echo(f"    {sent['channel']}: {sent['delivery_status']} ({sent['reason']})")
    if not found:
        click.echo("no alert")


@command.command(name="plan")
@_AS_OF
@AT
@click.option("--apply", "is_applied", is_flag=True, help="Write it; without, it is only shown.")
@FORMAT
def plan(as_of_text: str | None, at_text: str | None, *, is_applied: bool, output: str) -> None:
    """Show what a night has to say and what may help; nothing is sent."""
    from include.freezeline.jobs.alert import make_plan

    settings = _settings()
    night = _night(settings, as_of_text)
    found = make_plan(settings, night, read_moment("--at", at_text), is_written=is_applied)
    if output == "json":
        keys = ("as_of", "is_silent", "tiers", "n_rows_written", "events", "actions")
        _print_json({key: getattr(found, key) for key in keys})
        return
    heard = "nobody is told (a backfill)" if found.is_silent else "for the channels that are on"
    click.echo(f"{night:%Y-%m-%d %H:%M}Z: {len(found.events)} new events, {heard}")
    for row in found.events:
        click.echo(_line(row))
    for row in found.actions:
        click.echo(f"  may help: {row['action']} {row['target']}: {row['reason']}")


@command.command(name="send")
@_AS_OF
@AT
@click.option("--dry-run", is_flag=True, help="Print the messages instead of sending them.")
@FORMAT
def send(as_of_text: str | None, at_text: str | None, *, dry_run: bool, output: str) -> int:
    """Send what is due to the channels that are on; status 1 when one did not take it.

    Connections are those of FREEZELINE_ALERT_CONNECTIONS.
    """
    from include.freezeline.jobs.alert_send import settings_connections, try_sending

    settings = _settings()
    night, at = _night(settings, as_of_text), read_moment("--at", at_text)
    if dry_run:
        _print_json(_messages(settings, night, at))
        return 0
    done = try_sending(settings, night, at, settings_connections(settings))
    if output == "json":
        names = (
            "n_delivered",
            "n_failed",
            "n_pages",
            "is_over_page_budget",
            "is_backfill",
            "failures",
        )
        _print_json({name: getattr(done, name) for name in names})
    else:
        click.echo(_sent_words(done))
    return 1 if done.n_failed else 0


@command.command(name="test-channel")
@click.argument("channel")
@AT
@FORMAT
def test_channel(channel: str, at_text: str | None, output: str) -> int:
    """Send a test message to a channel, on or off; status 1 when it did not take it."""
    from include.freezeline.jobs.alert_send import check_channel, settings_connections

    settings = _settings()
    done = check_channel(
        settings, channel, read_moment("--at", at_text), settings_connections(settings)
    )  # fmt: skip
    if output == "json":
        names = ("status", "http_status", "n_tries", "reason")
        _print_json({"channel": channel, **{name: getattr(done, name) for name in names}})
    else:
        click.echo(f"{channel}: {done.status} ({done.reason})")
    return 0 if done.status == "delivered" else 1


def _messages(settings: Settings, night: datetime, at: datetime) -> list[dict[str, Any]]:
    """Return what would be sent."""
    from include.freezeline.alerts.policy import load_alert_policy
    from include.freezeline.config import config_dir
    from include.freezeline.jobs.alert_send import load_due, rendered

    policy = load_alert_policy(config_dir(settings))
    due = load_due(settings, policy, night, at) or []
    return [
        {"channel": each.channel.name, "message": rendered(each, policy, at)} for each in due
    ]  # fmt: skip


def _sent_words(done: Any) -> str:
    """Say what was sent."""
    if done.is_backfill:
        return "nothing sent: a later night was decided"
    said = f"{done.n_delivered} delivered, {done.n_failed} failed, {done.n_pages} pages"
    over = " (more than page_budget)" if done.is_over_page_budget else ""
    why = "".join(f"\n  {name}: {what}" for name, what in (done.failures or {}).items())
    return f"{said}{over}{why}"


def _line(row: dict[str, Any]) -> str:
    """Return an event as a line."""
    silent = " silent" if row["is_silent"] else ""
    return (
        f"{row['transitioned_at']:%Y-%m-%d %H:%M}Z {row['tier']} {row['transition']}{silent} "
        f"{row['owner']}: {row['summary']} [{row['runbook']}]"
    )


def _night(settings: Settings, text: str | None) -> datetime:
    """Return the night of a command."""
    from include.freezeline.jobs.alert_list import newest_night

    newest = newest_night(settings)  # also where a night is named: there has to be a warehouse
    return newest if text is None else read_moment("--as-of", text)


def _settings() -> Settings:
    """Read the settings."""
    return load_settings(os.environ)


def _print_json(value: object) -> None:
    """Print as JSON, times as texts."""
    click.echo(json.dumps(value, indent=1, default=str, sort_keys=True))
