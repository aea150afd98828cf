"""Export a stratified sample of redacted calls for labelling, with weights.

**Why** A rate that only people can judge is estimated from few labels, if the sample says how often
each call would be drawn. `estimate-labels` turns the labels back into a rate with its interval.

**Inputs** The published snapshot of `as_of`, `include/config/labelling.yml`.

**Outputs** `sample.jsonl`, `sample.parquet` and `manifest.json` below `labels/` of the store.

## When it fails
The message says which argument or policy does not fit. Clear the task after correcting it: the
same arguments give the same files.
"""

from airflow.sdk import Param, dag, task
from pendulum import datetime

from include.freezeline.adapters.airflow import declare, runtime

_TEXT = ["null", "string"]


@dag(
    schedule=None,
    start_date=datetime(2026, 9, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args=declare.DEFAULT_ARGS | {"pool": declare.WRITER_POOL},
    params={
        "as_of": Param(type="string", format="date-time", description="Night, UTC."),
        "seed": Param(1, type="integer", description="Another seed draws another sample."),
        "size": Param(None, type=["null", "integer"], minimum=1, description="Calls to draw."),
        "strata": Param(None, type=_TEXT, description="Columns, with commas: feature,model."),
        "to_uri": Param(None, type=_TEXT, description="Store; empty = where all is published."),
    },
    tags=[declare.Tag.STAGE_MAINTENANCE, declare.Tag.IMPACT_2],
    doc_md=__doc__,
)
def export_for_labelling() -> None:
    """Declare the export: one task."""

    @task
    def export_sample() -> dict:
        from include.freezeline.jobs.label_exports import ExportRequest, export_sample

        params = runtime.current_params()
        given = {name: params[name] or None for name in ("size", "strata", "to_uri")}
        request = ExportRequest(runtime.moment_of("as_of"), params["seed"], **given)
        return runtime.run(export_sample, runtime.task_settings(), request)

    export_sample()


export_for_labelling()
