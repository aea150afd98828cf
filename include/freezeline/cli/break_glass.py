"""``break-glass``: read sealed originals against an audit row, list and end their keys."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from include.freezeline.cli.land import parse_as_of
from include.freezeline.cli.login import login_name
from include.freezeline.settings import load_settings

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _answered_for(function: _Function) -> _Function:
    """Demand a person, a reason and a ticket."""
    for option, text in (
        ("--ticket", "Where the reason is written down, for example INC-1234."),
        ("--reason", "What is broken and what the text will show, in a sentence."),
        ("--person", "Who you are, as break_glass.yml asks for it (a mail address)."),
    ):
        function = click.option(option, required=True, help=text)(function)
    return function


@click.group("break-glass")
def command() -> None:
    """Sealed originals of redacted texts: every read leaves a row in the audit log first."""


@command.command("read")
@click.option("--trace", "trace_id", required=True, metavar="TRACE_ID", help="Whose originals.")
@click.option("--span", "span_id", metavar="SPAN_ID", help="Only those of this span.")
@_answered_for
@click.option(
    "--format",
    "output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="text leaves out control characters; json lines hold the texts exactly.",
)
def read_command(
    trace_id: str, span_id: str | None, person: str, reason: str, ticket: str, output: str
) -> None:
    """Print the original texts of a trace."""
    from include.freezeline.jobs.break_glass import read_originals
    from include.freezeline.sealing.access import AccessRequest

    request = AccessRequest(_requester(person, reason, ticket), trace_id, span_id)
    result = read_originals(load_settings(os.environ), request)
    click.echo(f"audit log row {result.event_index}", err=True)
    for original in result.originals:
        where = {"source_table": original.source_table, "span_id": original.span_id}
        if output == "json":
            at = original.event_at.isoformat()
            click.echo(json.dumps({**where, "event_at": at, "texts": dict(original.texts)}))
            continue
        click.echo(f"{original.source_table} {original.span_id} {original.event_at:%FT%TZ}")
        for name, text in original.texts.items():
            click.echo(f"  {name}: {_shown(text)}")
    if result.n_expired:
        click.echo(f"{result.n_expired} sealed rows are past their lifetime", err=True)
    if not result.originals:
        message = (
            "no original can be read: nothing was replaced in this trace, break_glass.yml does "
            "not seal it, or its time is over; the redacted texts are in marts.fct_call_texts"
        )
        click.echo(message, err=True)


@command.command("list")
def list_command() -> None:
    """List the day keys, what they seal, and those that were destroyed."""
    from include.freezeline.jobs.break_glass import list_keys

    for state in list_keys(load_settings(os.environ)):
        key = state.key
        if key.destroyed_as_of is not None:
            about = f"destroyed as of {key.destroyed_as_of:%F}: {key.reason}"
        elif key.key_name != key.key_date.isoformat():
            about = "kept for a legal hold"
        else:
            about = f"readable until {state.readable_until_at:%F}"
        click.echo(f"{key.key_name:<20} {state.row_count:>9,} rows  {about}")


@command.command("log")
def log_command() -> None:
    """Print the audit log as JSON lines, after checking that no row was changed."""
    from include.freezeline.jobs.break_glass import list_events

    for event in list_events(load_settings(os.environ)):
        click.echo(json.dumps(event, sort_keys=True))


@command.command("expire")
@click.option(
    "--as-of",
    "as_of_text",
    metavar="TIME",
    help="Days past their lifetime by then go, ISO 8601; last UTC midnight by default.",
)
def expire_command(as_of_text: str | None) -> None:
    """Destroy the keys of days that are over; what they sealed can then not be read by anybody."""
    from include.freezeline.jobs.expire_originals import expire_originals

    as_of = parse_as_of(as_of_text)
    for line in expire_originals(load_settings(os.environ), as_of).lines():
        click.echo(line)


@command.command("rotate")
@click.option(
    "--new-key-path",
    type=click.Path(path_type=Path),
    required=True,
    help="File of the new master key; the old one is that of the settings.",
)
@_answered_for
def rotate_command(new_key_path: Path, person: str, reason: str, ticket: str) -> None:
    """Wrap the day keys with a new master key."""
    from include.freezeline.jobs.break_glass import rewrap_keys

    by = _requester(person, reason, ticket)
    n_done = rewrap_keys(load_settings(os.environ), new_key_path, by)
    click.echo(f"{n_done} day keys are wrapped anew; from now on set the new master key")


def _requester(person: str, reason: str, ticket: str) -> Any:
    """Return who asks, with the account and the time of the command."""
    from include.freezeline.sealing.access import Requester

    return Requester(person, login_name(), reason, ticket, datetime.now(UTC))


def _shown(text: str) -> str:
    """Return a text without characters that could steer a terminal; line breaks stay."""
    return "".join(char for char in text if char.isprintable() or char in "\n\t")
