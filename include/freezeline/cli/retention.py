"""``retention``: plan and apply the tiers of config/retention.yml."""

import os

import click

from include.freezeline.cli.land import parse_as_of
from include.freezeline.settings import load_settings

_as_of = click.option(
    "--as-of",
    "as_of_text",
    metavar="TIME",
    help="Exclusive end of what is known, ISO 8601; last UTC midnight by default.",
)


@click.group("retention")
def command() -> None:
    """Plan and apply how long data stays; a plan changes nothing."""


@command.command("plan")
@_as_of
@click.option("--each", "is_long", is_flag=True, help="Print every action, not sums alone.")
def plan_command(as_of_text: str | None, *, is_long: bool) -> None:
    """Say what is past its time and why, and store that as a numbered plan."""
    from include.freezeline.jobs.retention import plan

    found = plan(load_settings(os.environ), parse_as_of(as_of_text))
    for line in found.lines():
        click.echo(line)
    for action in found.actions if is_long else ():
        click.echo(f"  {action.text()}")
    click.echo(f"nothing was changed; to do it: retention apply {found.plan_id}")


@command.command("apply")
@click.argument("plan_id")
@_as_of
def apply_command(plan_id: str, as_of_text: str | None) -> None:
    """Carry out the plan PLAN_ID, and verify that nothing of it is left."""
    from include.freezeline.jobs.retention import apply, verify

    settings, as_of = load_settings(os.environ), parse_as_of(as_of_text)
    summary = apply(settings, plan_id, as_of)
    verified = verify(settings, plan_id)
    for line in summary.lines():
        click.echo(line)
    click.echo(f"verified; {verified.n_archives:,} archived files match their manifests")
