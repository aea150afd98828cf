"""``freezeline freeze``: why is a feature frozen?"""

import json
import os
from typing import Any

import click

from include.freezeline.errors import FreezelineError
from include.freezeline.settings import load_settings


@click.group(name="freeze")
def command() -> None:
    """Understand the freezes."""


@command.command(name="explain")
@click.option("--feature", required=True, help="Feature to explain.")
@click.option("--environment", default="production", show_default=True, help="Its environment.")
@click.option(
    "--format",
    "output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to print.",
)
def explain(feature: str, environment: str, output: str) -> None:
    """Say in which state a feature is, why, since when, and when it may thaw."""
    from include.freezeline.jobs.explain import explain_freeze

    try:
        found = explain_freeze(load_settings(os.environ), feature, environment)
    except FreezelineError as error:
        raise click.ClickException(str(error)) from None
    if output == "json":
        click.echo(json.dumps(found, indent=1, default=str, sort_keys=True))
    else:
        click.echo("\n".join(_lines(found)))


def _lines(found: dict[str, Any]) -> list[str]:
    """Return the explanation as lines."""
    lines = [
        f"{found['feature']} ({found['environment']}) is {found['state']} since "
        f"{found['since_at']:%Y-%m-%d %H:%M}Z",
        f"  {found['reason']}",
    ]
    if found["earliest_thaw_at"] is not None:
        lines.append(f"  earliest thaw {found['earliest_thaw_at']:%Y-%m-%d %H:%M}Z")
    lines.append("objectives, worst first:")
    lines += [
        f"  {item['state']:<10} {item['verdict']:<22} {item['slo_id']}: {item['reason']}"
        for item in found["slos"]
    ]
    lines.append("changes of state:" if found["transitions"] else "the state never changed")
    lines += [
        f"  {item['transitioned_at']:%Y-%m-%d %H:%M}Z {item['from_state']} -> {item['to_state']}: "
        f"{item['reason']}"
        for item in found["transitions"]
    ]
    return lines
