"""``redact``: a filter of JSON lines, for trying rules and for redacting outside the nightly."""

import os
from typing import BinaryIO

import click

from include.freezeline.settings import load_settings


@click.command("redact")
@click.argument("source", type=click.File("rb"), default="-")
def command(source: BinaryIO) -> None:
    """Redact JSON lines from SOURCE (standard input by default).

    Each line is {"text": ...}; each result is {"text": ..., "found": [{"type", "start", "end"}]}
    with offsets in the input, in Unicode characters. A line that cannot be redacted is left out
    and reported on standard error with its number; the others are still redacted, and the exit
    code is 1. Person names and postal addresses are caught only when FREEZELINE_REDACTION_NER
    names a language model.
    """
    from include.freezeline.jobs.redact import redact_lines

    n_refused = 0
    for line in redact_lines(load_settings(os.environ), source):
        if line.output is not None:
            click.echo(line.output)
        else:
            n_refused += 1
            click.echo(f"line {line.number}: {line.problem}; left out", err=True)
    if n_refused:
        click.get_current_context().exit(1)
