"""``estimate-labels``: the rate that the labels of a sample give."""

import os
from pathlib import Path

import click

from include.freezeline.settings import load_settings


@click.command("estimate-labels")
@click.option(
    "--sample", "sample_uri", required=True, metavar="URI", help="Sample, as the export printed it."
)
@click.option(
    "--labels",
    "labels_path",
    required=True,
    type=click.Path(path_type=Path),
    help="CSV or JSON lines with call_key and label (yes or no).",
)
def command(sample_uri: str, labels_path: Path) -> int:
    """Turn labels back into a rate with its 95% interval; status 1 where they are too few."""
    from include.freezeline.jobs.label_exports import estimate_from_labels

    result = estimate_from_labels(load_settings(os.environ), sample_uri, labels_path)
    if result.value is None or result.interval is None:
        click.echo(f"insufficient_evidence: {result.reason}")
        return 1
    lower, upper = result.interval
    click.echo(f"rate {result.value:.4f}, 95% interval {lower:.4f} to {upper:.4f}")
    missing = result.details["missing_ratio"]
    click.echo(
        f"{result.n_current:,} labels, as precise as {result.details['n_effective']:,.0f} calls "
        f"drawn at random; {missing:.1%} of the calls are in strata without a label"
    )
    return 0
