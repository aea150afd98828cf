"""The ``freezeline`` command: subcommands are imported only when they are called.

A release pipeline asks the gate before every deploy, so ``gate check`` must not pay for pandas,
torch or Airflow.
"""

import importlib
from collections.abc import Sequence

import click

from include.freezeline.errors import FreezelineError

_COMMANDS = {
    "alerts": "include.freezeline.cli.alerts",
    "break-glass": "include.freezeline.cli.break_glass",
    "dbt-docs": "include.freezeline.cli.dbt_docs",
    "demo": "include.freezeline.cli.demo_run",
    "demo-bucket": "include.freezeline.cli.demo",
    "erase": "include.freezeline.cli.erase",
    "estimate-labels": "include.freezeline.cli.estimate_labels",
    "export-labels": "include.freezeline.cli.export_labels",
    "freeze": "include.freezeline.cli.freeze",
    "gate": "include.freezeline.cli.gate",
    "land": "include.freezeline.cli.land",
    "redact": "include.freezeline.cli.redact",
    "report": "include.freezeline.cli.report",
    "retention": "include.freezeline.cli.retention",
    "slo": "include.freezeline.cli.slo",
    "sql": "include.freezeline.cli.sql",
}


class _LazyGroup(click.Group):
    """A group that imports a subcommand's module on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(_COMMANDS[cmd_name]).command
        return command


@click.group(cls=_LazyGroup, name="freezeline")
def command() -> None:
    """Tell when LLM features are up but wrong, and freeze their releases."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status.

    Errors that Freezeline raises on purpose end with their message and status 1, without a
    traceback; the gate has statuses of its own.
    """
    try:
        status = command.main(arguments, prog_name="freezeline", standalone_mode=False)
    except FreezelineError as error:
        click.echo(f"error: {error}", err=True)
        return 1
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.Abort:
        click.echo("stopped", err=True)
        return 130
    return status if isinstance(status, int) else 0
