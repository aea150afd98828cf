"""``freezeline sql``: query a published snapshot, read only."""

import csv
import io
import json
import math
import os
import sys
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from itertools import islice
from typing import TYPE_CHECKING, TextIO

import click

from include.freezeline.cli.land import parse_as_of
from include.freezeline.settings import load_settings

if TYPE_CHECKING:
    from include.freezeline.jobs.sql import Answer

_CELL_CHARS = 100


@click.command("sql")
@click.argument("query")
@click.option(
    "--format",
    "output",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="How to print the rows. csv and json print whole values and every row, as they come.",
)
@click.option(
    "--as-of",
    "as_of_text",
    metavar="TIME",
    help="Night to ask, ISO 8601, UTC when it names no zone; the newest by default.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=1000,
    show_default=True,
    help="Rows of a table; csv and json have no limit.",
)
def command(query: str, output: str, as_of_text: str | None, limit: int) -> int:
    """Run QUERY on the published snapshot, for example "select * from marts.agg_feature_daily".

    QUERY is one statement that reads; "-" takes it from the standard input.
    """
    from include.freezeline.jobs.sql import run_query

    text = sys.stdin.read() if query == "-" else query
    as_of = None if as_of_text is None else parse_as_of(as_of_text)
    with run_query(load_settings(os.environ), text, as_of) as answer:
        stream = sys.stdout
        if isinstance(stream, io.TextIOWrapper):
            # Whatever the terminal says: it must not refuse or change a text.
            stream.reconfigure(encoding="utf-8")
        if output == "json":
            _print_json(answer, stream)
        elif output == "csv":
            _print_csv(answer, stream)
        else:
            _print_table(answer, stream, limit)
        stream.flush()
    return 0


def _print_json(answer: "Answer", stream: TextIO) -> None:
    """Write rows as one JSON array, an object per line.

    Raises:
        click.UsageError: Two columns have one name, which an object cannot hold.
    """
    twice = {name for name in answer.columns if answer.columns.count(name) > 1}
    if twice:
        message = f"two columns are named {min(twice)!r} (name them apart with AS, or print csv)"
        raise click.UsageError(message)
    lead = "["
    for row in answer.rows:
        values = dict(zip(answer.columns, map(_plain, row), strict=True))
        stream.write(f"{lead}\n{json.dumps(values, ensure_ascii=False)}")
        lead = ","
    stream.write("[]\n" if lead == "[" else "\n]\n")


def _print_csv(answer: "Answer", stream: TextIO) -> None:
    """Write rows as CSV with a header, null as nothing."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(answer.columns)
    for row in answer.rows:
        writer.writerow([_flat(value) for value in row])


def _print_table(answer: "Answer", stream: TextIO, limit: int) -> None:
    """Write the first rows as an aligned text table."""
    shown = [[_cell(value) for value in row] for row in islice(answer.rows, limit)]
    has_more = next(answer.rows, None) is not None
    cells = [list(answer.columns), *shown]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells if shown else []:
        line = zip(row, widths, strict=True)
        stream.write("  ".join(text.ljust(width) for text, width in line).rstrip() + "\n")
    what = f"first {limit} rows; --limit or --format csv shows more" if has_more else _rows(shown)
    stream.write(f"({what})\n")


def _rows(shown: Iterable[object]) -> str:
    """Say how many rows there are."""
    n_rows = len(list(shown))
    return "1 row" if n_rows == 1 else f"{n_rows} rows"


def _cell(value: object) -> str:
    """Show null as such, keep a row on one line and a column on one screen."""
    text = "null" if value is None else " ".join(str(_flat(value)).split())
    return text if len(text) <= _CELL_CHARS else text[: _CELL_CHARS - 1] + "…"


def _flat(value: object) -> object:
    """Write a list or struct as JSON, and leave the rest to str."""
    is_nested = isinstance(value, list | tuple | Mapping)
    return json.dumps(_plain(value), ensure_ascii=False) if is_nested else value


def _plain(value: object) -> object:
    """Return a value that JSON knows: decimals stay exact as texts, NaN and infinity are null."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.hex() if isinstance(value, bytes) else str(value)
