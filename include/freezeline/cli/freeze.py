"""``freezeline freeze``: why is a feature frozen, and who may let it ship all the same?"""

import json
import os
from datetime import UTC, datetime
from typing import Any

import click

from include.freezeline.cli.login import login_name
from include.freezeline.cli.options import AT, FORMAT, read_moment
from include.freezeline.errors import FreezelineError
from include.freezeline.settings import load_settings


@click.group(name="freeze")
def command() -> None:
    """Understand and override the freezes."""


@command.command(name="explain")
@click.option("--feature", required=True, help="Feature to explain.")
@click.option("--environment", default="production", show_default=True, help="Its environment.")
@AT
@FORMAT
def explain(feature: str, environment: str, at_text: str | None, output: str) -> None:
    """Say in which state a feature is, why, since when, and when it may thaw."""
    from include.freezeline.jobs.explain import explain_freeze

    try:
        settings = load_settings(os.environ)
        found = explain_freeze(settings, feature, environment, read_moment("--at", at_text))
    except FreezelineError as error:
        raise click.ClickException(str(error)) from None
    if output == "json":
        click.echo(json.dumps(found, indent=1, default=str, sort_keys=True))
    else:
        click.echo("\n".join(_lines(found)))


@command.group(name="override")
def override() -> None:
    """Let a frozen feature ship for some hours, on the record of two people."""


@override.command(name="grant")
@click.option("--feature", "features", multiple=True, required=True, help="May be given again.")
@click.option("--environment", default="production", show_default=True, help="Where it ships to.")
@click.option("--change-ref", help="The one change it is for. [default: any change]")
@click.option("--reason", required=True, help="Why it cannot wait, in a sentence; published.")
@click.option("--requested-by", required=True, help="Who asks (a mail address).")
@click.option("--approved-by", required=True, help="Who else approves.")
@click.option("--hours", type=float, required=True, help="How long it holds, at most 72.")
@AT
@FORMAT
def grant(at_text: str | None, output: str, **asked: Any) -> None:
    """Grant an override and publish it in the signed document at once."""
    from include.freezeline.freeze.overrides import OverrideRequest
    from include.freezeline.jobs.overrides import grant_override

    entered_at = datetime.now(UTC)
    request = OverrideRequest(
        **asked, at=read_moment("--at", at_text), login_name=login_name(), entered_at=entered_at
    )
    result = grant_override(load_settings(os.environ), request)
    _print_result(result, output, f"in force until {result.row['expires_at']}")


@override.command(name="revoke")
@click.argument("override_id")
@click.option("--person", required=True, help="Who ends it; one person is enough.")
@click.option("--reason", required=True, help="Why, in a sentence.")
@AT
@FORMAT
def revoke(override_id: str, person: str, reason: str, at_text: str | None, output: str) -> None:
    """End an override before its time."""
    from include.freezeline.jobs.overrides import revoke_override

    settings = load_settings(os.environ)
    at = read_moment("--at", at_text)
    result = revoke_override(settings, override_id, person, reason, at, login_name())
    _print_result(result, output, "revoked")


@override.command(name="list")
@AT
@FORMAT
def list_command(at_text: str | None, output: str) -> None:
    """List every override ever granted or revoked, after checking that no row was changed."""
    from include.freezeline.jobs.overrides import list_overrides

    rows = list_overrides(load_settings(os.environ), read_moment("--at", at_text))
    if output == "json":
        click.echo(json.dumps(rows, indent=1, sort_keys=True))
        return
    for row in rows:
        state = "in force" if row["is_in_force"] else row["event_kind"]
        click.echo(
            f"{row['recorded_at']}  {row['override_id']}  {state:<8}  "
            f"{', '.join(row['features'])} ({row['environment']})  until {row['expires_at']}  "
            f"{row['requested_by']}, approved by {row['approved_by'] or '-'}: {row['reason']}"
        )
    if not rows:
        click.echo("no override was ever granted")


def _print_result(result: Any, output: str, what: str) -> None:
    """Print what was written and where it is published."""
    if output == "json":
        where = {"document_uri": result.document_uri, "sequence": result.sequence}
        click.echo(json.dumps({**result.row, **where}, indent=1, sort_keys=True))
        return
    click.echo(f"{result.row['override_id']} {what}; {result.document_uri} says so")


def _lines(found: dict[str, Any]) -> list[str]:
    """Return the explanation as lines."""
    lines = [
        f"{found['feature']} ({found['environment']}) is {found['state']} since "
        f"{found['since_at']:%Y-%m-%d %H:%M}Z",
        f"  {found['reason']}",
    ]
    if found["earliest_thaw_at"] is not None:
        lines.append(f"  earliest thaw {found['earliest_thaw_at']:%Y-%m-%d %H:%M}Z")
    lines += [
        f"  override {item['override_id']} until {item['expires_at']} by {item['requested_by']}, "
        f"approved by {item['approved_by']}: {item['reason']}"
        for item in found["overrides"]
    ]
    lines.append("objectives, worst first:")
    lines += [
        f"  {item['state']:<10} {item['verdict']:<22} {item['slo_id']}: {item['reason']}"
        for item in found["slos"]
    ]
    lines += _action_lines(found["recommended_actions"])
    lines.append("changes of state:" if found["transitions"] else "the state never changed")
    lines += [
        f"  {item['transitioned_at']:%Y-%m-%d %H:%M}Z {item['from_state']} -> {item['to_state']}: "
        f"{item['reason']}"
        for item in found["transitions"]
    ]
    return lines


def _action_lines(actions: list[dict[str, Any]]) -> list[str]:
    """Return what may help as lines; nothing when nothing is recommended."""
    if not actions:
        return []
    lines = ["what may help (suspects, not causes):"]
    for item in actions:
        to = f" to {item['alternative']}" if item["alternative"] else ""
        sure = item["confidence_ratio"]
        words = "rule of thumb" if sure is None else f"confidence {min(sure, 0.999):.1%}"
        radius = item["blast_radius"]
        lines += [
            f"  {item['action']} {item['target']}{to} ({words}): {item['reason']}",
            f"    touches {radius['call_count']} calls of 28 days, {radius['traffic_ratio']:.0%} of "
            f"the feature's, {radius['tenant_count']} tenants, {', '.join(radius['features'])}",
        ]
    return lines
