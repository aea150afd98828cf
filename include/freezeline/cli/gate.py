"""``freezeline gate``: may this change of this feature ship?

Reads nothing but the published document and the public key; imports nothing heavy, so that it
starts fast in other teams' pipelines. ``check`` and ``serve`` parse their own arguments, because
they are also the gate that is one file and has no click.
"""

import os
import sys
from pathlib import Path

import click

from include.freezeline.cli.gate_options import Surroundings

_PROGRAM = "freezeline gate"
_OWN_OPTIONS = {"ignore_unknown_options": True, "help_option_names": []}


@click.group(name="gate")
def command() -> None:
    """Ask whether a release may ship."""


@command.command(name="check", context_settings=_OWN_OPTIONS)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def check(arguments: tuple[str, ...]) -> None:
    """Answer by exit code: 0 is the only yes."""
    from include.freezeline.cli.gate_check import check as run

    sys.exit(run(arguments, Surroundings(_PROGRAM, _read_store)))


@command.command(name="serve", context_settings=_OWN_OPTIONS)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def serve(arguments: tuple[str, ...]) -> None:
    """Answer over HTTP, always with status 200 and a verdict."""
    from include.freezeline.cli.gate_serve import serve as run

    sys.exit(run(arguments, Surroundings(_PROGRAM, _read_store)))


@command.command(name="file")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write. [default: standard output]",
)
def file(output: Path | None) -> None:
    """Write the gate as one Python file for other repositories."""
    from include.freezeline.jobs.gate_file import build_gate_file

    text = build_gate_file()
    if output is None:
        click.echo(text, nl=False)
        return
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text, encoding="utf-8")
    click.echo(f"{output}: copy it into your repository, with freeze.pub.pem")


def _read_store(folder: str, name: str) -> bytes:
    """Read from a bucket with the settings of this machine."""
    from include.freezeline.adapters.object_store import open_store
    from include.freezeline.settings import load_settings

    return open_store(folder, load_settings(os.environ)).read_bytes(name)
