"""``freezeline demo``: the whole line on embedded defaults."""

import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import click

from include.freezeline.settings import load_settings


@click.command("demo")
@click.option("--incidents/--no-incidents", default=True, show_default=True, help="Plant them.")
@click.option("--scale", type=click.FloatRange(0.01, 10), default=1.0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def command(incidents: bool, scale: float, as_json: bool) -> int:  # noqa: FBT001 - click passes them
    """Make a demo bucket, run the nightly DAG through Airflow, and show what froze and why."""
    from include.freezeline.jobs import run_demo

    settings = run_demo.demo_settings(load_settings(os.environ))
    outcome = run_demo.run_demo(settings, incidents=incidents, scale=scale, progress=_say)
    if as_json:
        click.echo(run_demo.as_json(outcome))
    else:
        _show(outcome)
    return 0


def _say(line: str) -> None:
    """Show progress on stderr, so that stdout holds the result only."""
    click.echo(line, err=True)
    sys.stderr.flush()


def _show(outcome: Any) -> None:
    """Print the outcome for a person."""
    click.echo("\nWHAT LANDED")
    for row in outcome.landed:
        click.echo(_landed_line(row))
    click.echo(f"\nVERDICTS for the night before {outcome.as_of:%Y-%m-%d %H:%M}Z")
    for flag in outcome.flags:
        _show_feature(flag, outcome.verdicts)
    _show_frozen(outcome.flags)
    _show_places(outcome)


def _landed_line(row: Mapping[str, Any]) -> str:
    """Say what one source delivered."""
    return (
        f"  {row['source_name']:<24}{row['object_count']:>6,} objects {row['record_count']:>9,} records"
        f"  landed {row['landed_count']:,}, repeats in an object {row['duplicate_count']:,},"
        f" quarantined {row['quarantined_count']:,}, values redacted {row['redaction_count']:,}"
    )


def _show_feature(flag: Mapping[str, Any], verdicts: Iterable[Mapping[str, Any]]) -> None:
    """Print a feature's release state and what was found about it."""
    own = [
        row
        for row in verdicts
        if (row["feature"], row["environment"]) == (flag["feature"], flag["environment"])
    ]
    counts = {
        kind: sum(row["verdict"] == kind for row in own)
        for kind in ("ok", "warning", "breach", "insufficient_evidence")
    }
    summary = ", ".join(f"{n} {kind.replace('_', ' ')}" for kind, n in counts.items() if n)
    click.echo(f"  {flag['feature']} ({flag['environment']}): {flag['state']}   [{summary}]")
    for row in own:
        if row["verdict"] == "breach":
            model = f" on {row['model']}" if row["model"] else ""
            click.echo(f"    {row['family']}/{row['question']}{model}: {row['reason']}")


def _show_frozen(flags: Iterable[Mapping[str, Any]]) -> None:
    """Say which releases are frozen and why."""
    frozen = [flag for flag in flags if flag["state"] in {"FROZEN", "RECOVERING"}]
    click.echo("\nFROZEN RELEASES")
    if not frozen:
        click.echo("  none")
    for flag in frozen:
        thaw = flag["earliest_thaw_at"]
        click.echo(
            f"  {flag['feature']} ({flag['environment']}) since {flag['since_at']:%Y-%m-%d %H:%M}Z"
        )
        click.echo(f"    why: {flag['reason']}")
        click.echo(f"    earliest thaw: {f'{thaw:%Y-%m-%d %H:%M}Z' if thaw else 'not in sight'}")


def _show_places(outcome: Any) -> None:
    """Say where everything is and what to try next."""
    at = f"{outcome.as_of:%Y-%m-%dT%H:%M:%SZ}"
    click.echo(
        "\nWHERE IT IS\n"
        f"  report    {outcome.published_uri}/reports/latest/freeze_report.html\n"
        f"  document  {outcome.published_uri}/freeze.json (signed), flags in flags.flagd.json\n"
        f"  tables    {outcome.snapshot}  (read only; schemas marts and judgement)\n"
        '            python -m include.freezeline sql "select * from marts.agg_feature_daily limit 5"\n'
        "  Airflow   `make airflow`, then http://127.0.0.1:8080 (the Freezeline page is in the menu)\n"
        "  gate      python -m include.freezeline gate check --feature support-assistant"
        f" --at {at}"
    )
