"""``freezeline dbt-docs``: dbt's own documentation of the published snapshot."""

import os

import click

from include.freezeline.settings import load_settings


@click.command("dbt-docs")
def command() -> int:
    """Write dbt's documentation, with lineage, as one page that needs no server."""
    from include.freezeline.jobs.dbt_docs import render_dbt_docs

    page = render_dbt_docs(load_settings(os.environ))
    click.echo(f"open {page.as_uri()} in a browser")
    return 0
