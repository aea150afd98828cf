"""Erase a person, session or tenant from every store, as a dry run unless told to apply.

**Why** A person may ask to be forgotten. Their rows go from the lake, the archive, the warehouse,
every kept snapshot, verdict details, reports and the embedding cache, and tombstones keep late
objects and backfills from bringing them back.

**Inputs** `subject_key`, the pseudonym: `python -m include.freezeline erase --subject user:ID`
prints it. Raw ids are refused, because Airflow stores the parameters of a run.

**Dry run by default** The run finds and counts, by store, and logs a `plan_id`. To erase, trigger
it with `apply` = true and, to be sure what goes, that `plan_id`. `apply_retention` looks again
every night. Receipts lie under `<home>/erasure/receipts/`.

## When it fails
Clear the failed task: applying a plan again finishes what is left. A plan is refused when
`erasure.yml` or a legal hold changed since; run the dry run again. Rows that are still there
afterwards mean that something else wrote at the same time: end it and clear the task.
"""

from airflow.sdk import Param, dag, task
from pendulum import datetime

from include.freezeline.adapters.airflow import declare, runtime


@dag(
    schedule=None,
    start_date=datetime(2026, 9, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args=declare.DEFAULT_ARGS | {"pool": declare.WRITER_POOL},
    params={
        "subject_key": Param(
            type="string", pattern="^[ust]_[0-9a-f]{32}$", description="Pseudonym key, u_... ."
        ),
        "before": Param(
            None,
            type=["null", "string"],
            format="date-time",
            description="Exclusive end of the events that are meant, UTC; empty = this run's time.",
        ),
        "apply": Param(default=False, type="boolean", description="Erase; false only plans."),
        "plan_id": Param(
            None, type=["null", "string"], description="Plan to apply, from the dry run's log."
        ),
    },
    tags=[declare.Tag.STAGE_MAINTENANCE, declare.Tag.IMPACT_2],
    doc_md=__doc__,
)
def erase_subject() -> None:
    """Declare the erasure: plan, apply when asked."""

    @task
    def plan_subject() -> dict:
        from include.freezeline.jobs.erase import plan_subject_key

        key, before_at = runtime.current_params()["subject_key"], runtime.moment_of("before")
        return runtime.run(
            plan_subject_key, runtime.task_settings(), key, before_at, progress=runtime.progress
        )

    @task
    def apply_plan(planned: dict) -> dict:
        from include.freezeline.jobs.erase import apply_subject_key

        params = runtime.current_params()
        runtime.skip_unless(params["apply"], "dry run: trigger with apply=true to erase")
        plan_id = params["plan_id"] or planned["plan_id"]
        return runtime.run(
            apply_subject_key, runtime.task_settings(), params["subject_key"], plan_id
        )

    apply_plan(plan_subject())


erase_subject()
