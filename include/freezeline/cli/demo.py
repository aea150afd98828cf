"""``demo-bucket``: write the demo's traces and business facts."""

import os

import click

from include.freezeline.settings import load_settings


@click.command("demo-bucket")
@click.option(
    "--incidents/--no-incidents", default=True, help="Plant the incidents of docs/demo.md."
)
@click.option(
    "--only", "names", metavar="NAME", multiple=True, help="Plant this incident only; repeatable."
)
@click.option("--scale", default=1.0, show_default=True, help="Traffic relative to 60,000 calls.")
@click.option("--seed", default=7, show_default=True, help="Same seed, same bytes.")
@click.option("--uri", help="Bucket to write; FREEZELINE_SOURCE_URI by default.")
@click.option("--quiet", is_flag=True, help="Print no progress.")
def command(
    names: tuple[str, ...],
    uri: str | None,
    *,
    incidents: bool,
    scale: float,
    seed: int,
    quiet: bool,
) -> None:
    """Write six weeks of a small company's OpenTelemetry traces and outcomes into a bucket."""
    from include.freezeline.jobs.demo import make_demo_bucket

    if names and not incidents:
        message = "--only and --no-incidents exclude each other (leave one out)"
        raise click.UsageError(message)
    settings = load_settings(os.environ)
    if uri is not None:
        settings = settings.model_copy(update={"source_uri": uri})
    summary = make_demo_bucket(
        settings,
        incidents=frozenset(names) if names else incidents,
        scale=scale,
        seed=seed,
        progress=None if quiet else _show_progress,
    )
    for line in summary.lines():
        click.echo(line)


def _show_progress(line: str) -> None:
    """Say on the error stream how far the run is."""
    click.echo(line, err=True)
