"""``redact``: a filter of JSON lines, for trying rules and for redacting outside the nightly."""

import os
from typing import TextIO

import click

from include.freezeline.settings import load_settings


@click.command("redact")
@click.argument("source", type=click.File("r", encoding="utf-8"), default="-")
def command(source: TextIO) -> None:
    """Redact JSON lines from SOURCE (standard input by default).

    Each line is {"text": ...}; each result is {"text": ..., "found": [{"type", "start", "end"}]}
    with offsets in the input. Person names and postal addresses are not caught.
    """
    from include.freezeline.jobs.redact import redact_lines

    for line in redact_lines(load_settings(os.environ), source):
        click.echo(line)
