"""``land``: bring the bucket's due objects into the lake."""

import os
from datetime import UTC, datetime, time

import click

from include.freezeline.settings import load_settings


@click.command("land")
@click.option(
    "--as-of",
    "as_of_text",
    metavar="TIME",
    help="Exclusive end of what is known, ISO 8601, UTC when it names no zone; last midnight by default.",
)
@click.option(
    "--full",
    "is_full",
    is_flag=True,
    help="List the whole bucket, also folders older than a night's listing goes back.",
)
@click.option("--quiet", is_flag=True, help="Print no progress.")
def command(as_of_text: str | None, *, is_full: bool, quiet: bool) -> None:
    """Land every due object of FREEZELINE_SOURCE_URI: parse, redact, write, count.

    With FREEZELINE_TARGET=shared the landed rows then go into the shared lake.
    """
    from include.freezeline.jobs.build import hand_over
    from include.freezeline.jobs.land import land

    settings = load_settings(os.environ)
    progress = None if quiet else _show_progress
    summary = land(settings, parse_as_of(as_of_text), is_full=is_full, progress=progress)
    for line in summary.lines():
        click.echo(line)
    if settings.target == "shared":
        click.echo(f"handed over: {hand_over(settings)} new or changed files")


def parse_as_of(text: str | None) -> datetime:
    """Read ``--as-of``; the last UTC midnight when it is not given.

    Raises:
        click.BadParameter: The text is not a time.
    """
    if text is None:
        return datetime.combine(datetime.now(UTC).date(), time(), tzinfo=UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        message = f"--as-of: not an ISO 8601 time, got {text!r} (write 2026-10-14T00:00Z)"
        raise click.BadParameter(message) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _show_progress(line: str) -> None:
    """Say on the error stream how far the run is."""
    click.echo(line, err=True)
