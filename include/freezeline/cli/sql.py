"""``freezeline sql``: query the published snapshot, read only."""

import csv
import json
import os
import sys
from typing import Any

import click

from include.freezeline.cli.land import parse_as_of
from include.freezeline.settings import load_settings


@click.command("sql")
@click.argument("query")
@click.option(
    "--format",
    "output",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="How to print the rows.",
)
@click.option(
    "--as-of",
    "as_of_text",
    metavar="TIME",
    help="Ask the snapshot of a kept night, ISO 8601, UTC when it names no zone; the newest by "
    "default.",
)
def command(query: str, output: str, as_of_text: str | None) -> int:
    """Run QUERY on the published snapshot, for example "select * from marts.agg_feature_daily"."""
    from include.freezeline.jobs.sql import run_query

    as_of = None if as_of_text is None else parse_as_of(as_of_text)
    rows = run_query(load_settings(os.environ), query, as_of)
    if output == "json":
        click.echo(json.dumps(rows, default=str, indent=1))
    elif output == "csv":
        _print_csv(rows)
    else:
        _print_table(rows)
    return 0


def _print_csv(rows: list[dict[str, Any]]) -> None:
    """Write rows as CSV with a header."""
    writer = csv.DictWriter(sys.stdout, fieldnames=list(rows[0]) if rows else [])
    writer.writeheader()
    writer.writerows(rows)


def _print_table(rows: list[dict[str, Any]]) -> None:
    """Write rows as an aligned text table."""
    if not rows:
        click.echo("(0 rows)")
        return
    cells = [list(rows[0]), *[[_cell(value) for value in row.values()] for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    for row in cells:
        line = zip(row, widths, strict=True)
        click.echo("  ".join(text.ljust(width) for text, width in line).rstrip())
    click.echo(f"({len(rows)} rows)")


def _cell(value: object) -> str:
    """Show null as such and keep a row on one line."""
    return "null" if value is None else " ".join(str(value).split())
