"""``export-labels``: a sample of calls for labelling."""

import os

import click

from include.freezeline.cli.land import parse_as_of
from include.freezeline.settings import load_settings


@click.command("export-labels")
@click.option(
    "--as-of",
    "as_of_text",
    metavar="TIME",
    help="Night whose published snapshot is read, ISO 8601; last UTC midnight by default.",
)
@click.option("--size", type=click.IntRange(min=1), help="Calls to draw; labelling.yml by default.")
@click.option(
    "--strata",
    metavar="COLUMNS",
    help="Columns that cut the strata, with commas: feature,model; labelling.yml by default.",
)
@click.option("--seed", type=int, required=True, help="Another seed draws another sample.")
@click.option("--to", "to_uri", metavar="URI", help="Store to write to; FREEZELINE_PUBLISH_URI.")
def command(
    as_of_text: str | None, size: int | None, strata: str | None, seed: int, to_uri: str | None
) -> None:
    """Draw redacted calls for labelling and write them, with weights, to object storage."""
    from include.freezeline.jobs.label_exports import ExportRequest, export_sample

    request = ExportRequest(parse_as_of(as_of_text), seed, size, strata, to_uri)
    for line in export_sample(load_settings(os.environ), request).lines():
        click.echo(line)
