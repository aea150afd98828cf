"""Options that several commands take, and how their values are read."""

from datetime import UTC, datetime

import click

from include.freezeline.freeze.gate import parse_moment

AT = click.option("--at", "at_text", help="Time of the command, ISO 8601. [default: now]")
FORMAT = click.option(
    "--format",
    "output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to print.",
)


def read_moment(option: str, text: str | None) -> datetime:
    """Return the time an option names, else now; the command line is where the clock is read.

    Args:
        option: The option, for the message.
        text: What was given.

    Raises:
        click.UsageError: It is no time with an offset.
    """
    if text is None:
        return datetime.now(UTC)
    try:
        return parse_moment(text)
    except ValueError:
        message = f"{option}: {text!r} is not a time with an offset (write 2026-10-14T06:00:00Z)"
        raise click.UsageError(message) from None
