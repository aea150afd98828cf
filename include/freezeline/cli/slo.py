"""``freezeline slo``: look at the service level objectives and check their files."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from include.freezeline.cli.options import FORMAT
from include.freezeline.config import config_dir
from include.freezeline.errors import FreezelineError
from include.freezeline.settings import load_settings
from include.freezeline.slo.catalogue import Slo, load_slo, load_slos, slo_json_schema


@click.group(name="slo")
def command() -> None:
    """List, show, validate and preview the service level objectives."""


@command.command(name="list")
@FORMAT
def list_slos(output: str) -> None:
    """List every SLO with its limit, window and consequence."""
    slos = _load()
    if output == "json":
        click.echo(json.dumps([_as_json(slo) for slo in slos], indent=1))
        return
    for slo in slos:
        click.echo(
            f"{slo.name:<22} {slo.feature:<20} bad {_sign(slo)} {slo.limit_text:<6} "
            f"in {slo.window_text:<4} {slo.consequence:<7} {slo.objective_text}"
        )


@command.command(name="show")
@click.argument("name")
@FORMAT
def show(name: str, output: str) -> None:
    """Show one SLO: what it counts, what it promises and what follows."""
    slos = {slo.name: slo for slo in _load()}
    if name not in slos:
        message = f"no SLO {name!r} (known: {', '.join(slos)})"
        raise click.ClickException(message)
    values = _as_json(slos[name])
    if output == "json":
        click.echo(json.dumps(values, indent=1))
        return
    for key, value in values.items():
        click.echo(f"{key.replace('_', ' '):<16} {'-' if value is None else value}")


@command.command(name="validate")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@FORMAT
def validate(files: tuple[Path, ...], output: str) -> None:
    """Check SLO files; without FILES, all of the configuration and that none overlap."""
    try:
        folder = config_dir(load_settings(os.environ))
        slos = [load_slo(path) for path in files] if files else list(load_slos(folder))
    except FreezelineError as error:
        if output == "json":
            click.echo(json.dumps({"is_valid": False, "problem": str(error)}))
            raise click.exceptions.Exit(1) from None
        raise click.ClickException(str(error)) from None
    if output == "json":
        click.echo(json.dumps({"is_valid": True, "slos": [slo.name for slo in slos]}))
        return
    click.echo(f"{len(slos)} SLO files are valid: {', '.join(slo.name for slo in slos)}")


@command.command(name="plan")
@FORMAT
def plan(output: str) -> None:
    """Show what the files as they are now would decide on the published night.

    Writes nothing. Exit 1: a file is wrong, or its SQL does not fit its mart.
    """
    from include.freezeline.jobs.slo_plan import plan_slos

    try:
        planned = plan_slos(load_settings(os.environ))
    except FreezelineError as error:
        raise click.ClickException(str(error)) from None
    if output == "json":
        click.echo(json.dumps(asdict(planned), indent=1, default=str))
        return
    click.echo(f"on the night of {planned.as_of:%Y-%m-%d %H:%M}Z; nothing is written")
    for item in planned.slos:
        spent = "-" if item.consumed_ratio is None else f"{item.consumed_ratio:.0%}"
        click.echo(
            f"{item.change:<8} {item.feature} ({item.environment}) {item.slo_name}: "
            f"{item.verdict}, {spent} spent; {item.reason}"
        )
    for name, before, after in planned.flags:
        click.echo(f"flag     {name}: {before}" + (f" -> {after}" if after != before else ""))
    for name in planned.without_events:
        click.echo(f"empty    {name}: no feature has events (a wrong name or condition?)")
    for name in planned.removed:
        click.echo(f"removed  {name}: no file defines it any more; what it froze thaws by recovery")


@command.command(name="schema")
def schema() -> None:
    """Print the JSON Schema of an SLO file, for editors."""
    click.echo(json.dumps(slo_json_schema(), indent=2, sort_keys=True))


def _load() -> tuple[Slo, ...]:
    """Load the configured SLOs."""
    try:
        return load_slos(config_dir(load_settings(os.environ)))
    except FreezelineError as error:
        raise click.ClickException(str(error)) from None


def _sign(slo: Slo) -> str:
    """Return the comparison as people write it."""
    return "<" if slo.objective.op == "lt" else "<="


def _as_json(slo: Slo) -> dict[str, Any]:
    """Return what there is to say about an SLO."""
    lag = slo.objective.maturity_lag
    return {
        "name": slo.name,
        "title": slo.title,
        "objective": slo.objective_text,
        "description": slo.description,
        "feature": slo.feature,
        "limit": slo.limit_text,
        "op": slo.objective.op,
        "window": slo.window_text,
        "consequence": slo.consequence,
        "policy": slo.policy_name,
        "trip_wire": slo.trip_wire,
        "evidence": slo.evidence,
        "maturity_lag_h": None if lag is None else lag.total_seconds() / 3600,
        "fact": slo.fact,
        "fact_silence_h": None if slo.fact is None else slo.fact_silence.total_seconds() / 3600,
        "minimum_events": slo.objective.min_window_events,
        "relation": slo.relation,
        "events_where": slo.is_event_sql,
        "bad_where": slo.is_bad_sql,
        "event_time": slo.event_at_column,
        "arrived_at": slo.arrived_at_column,
        "outcome_known_at": slo.bad_known_at_column,
        "slice": None if slo.slices is None else slo.slices.text,
        "slice_limit": None if slo.slices is None else str(slo.slices.limit),
        "owner": slo.owner,
        "runbook": slo.runbook,
    }
