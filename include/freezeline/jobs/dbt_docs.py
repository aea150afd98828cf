"""Write dbt's documentation of the newest published snapshot: models, columns, tests, lineage."""

from pathlib import Path

from include.freezeline.adapters.dbt import write_dbt_docs
from include.freezeline.adapters.warehouse import latest_snapshot, snapshot_as_of
from include.freezeline.jobs.build import dbt_variables
from include.freezeline.settings import Settings


def render_dbt_docs(settings: Settings) -> Path:
    """Write the page and return where it is.

    Raises:
        WarehouseError: Nothing is published yet, or dbt cannot read it.
    """
    snapshot = latest_snapshot(settings).resolve()
    variables = dbt_variables(settings, snapshot_as_of(snapshot))
    return write_dbt_docs(settings, {**variables, "warehouse_path": str(snapshot)})
