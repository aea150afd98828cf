"""``freezeline report``: read the freeze report in a terminal or save it."""

import os
from datetime import UTC, datetime

import click

from include.freezeline.settings import load_settings


@click.group("report")
def command() -> None:
    """Read the freeze report of the last published night."""


@command.command("show")
@click.option(
    "--format",
    "view",
    type=click.Choice(["markdown", "html", "json"]),
    default="markdown",
    show_default=True,
    help="Which view of the report to print.",
)
@click.option(
    "--as-of",
    "as_of_text",
    metavar="TIME",
    help="Night to report, ISO 8601, UTC when it names no zone; the newest by default.",
)
def show(view: str, as_of_text: str | None) -> int:
    """Print the freeze report from the published snapshot."""
    from include.freezeline.jobs.report import render_report

    files = render_report(load_settings(os.environ), _moment(as_of_text), source="snapshot")
    texts = {"markdown": files.markdown, "html": files.html, "json": files.json}
    # As bytes: a terminal that is not UTF-8 must not change or refuse the report.
    click.echo(texts[view].encode(), nl=False)
    return 0


def _moment(text: str | None) -> datetime | None:
    """Read ``--as-of``.

    Raises:
        click.BadParameter: The text is not a time.
    """
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        message = f"--as-of: not an ISO 8601 time, got {text!r} (write 2026-10-14T00:00Z)"
        raise click.BadParameter(message) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
