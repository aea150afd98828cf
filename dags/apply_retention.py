"""Move old detail through the retention tiers, as a dry run unless told to apply.

The tiers are in `include/config/retention.yml`: hot (redacted text), warm (aggregates and
verdicts), cold (archived Parquet with a manifest).

**Why** Detail that nobody needs any more is a risk; what a class must keep is kept on purpose.

**Dry run by default** The run plans and logs what would go and why. To apply, trigger it with
`apply` = true and, to be sure what goes, the `plan_id` that the dry run printed.

**Erasures** Beside that, every run looks for everything that was ever erased (`erase_subject`) and
removes again what came back; that is never a dry run. Nor is the end of sealed originals
(`break_glass.yml`), whose keys are destroyed when their days are over, and of samples that were
exported for labelling (`labelling.yml`).

**Inputs** The lake and the snapshots under `FREEZELINE_HOME`.

## When it fails
Nothing is deleted before the plan is complete. A plan depends on event dates and the policy, so
it stays valid while the lake grows and is refused once the policy changes: run the dry run again,
read it, and apply the new id. `verify_erasures` fails when an erased row is still there after it was
removed: end what else writes to the lake or the warehouse, and clear the task. The two expiring
tasks do the rest when they are cleared. Proofs of what was purged lie under `<home>/retention/`.
"""

from airflow.sdk import CronDataIntervalTimetable, Param, dag, task
from pendulum import datetime

from include.freezeline.adapters.airflow import declare, runtime


@dag(
    schedule=CronDataIntervalTimetable("0 6 * * *", timezone="UTC"),
    start_date=datetime(2026, 9, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args=declare.DEFAULT_ARGS | {"pool": declare.WRITER_POOL},
    params=declare.interval_params()
    | {
        "apply": Param(
            default=False, type="boolean", description="Delete and archive; false only plans."
        ),
        "plan_id": Param(
            None, type=["null", "string"], description="Plan to apply, from the dry run's log."
        ),
    },
    tags=[declare.Tag.STAGE_MAINTENANCE, declare.Tag.IMPACT_2],
    doc_md=__doc__,
)
def apply_retention() -> None:
    """Declare the maintenance run: plan, apply when asked, verify; what is never a dry run."""

    @task
    def plan_purge() -> dict:
        from include.freezeline.jobs.retention import plan

        night, settings = runtime.current_night(), runtime.task_settings()
        return runtime.run(plan, settings, night.as_of, progress=runtime.progress)

    @task
    def apply_purge(planned: dict) -> dict:
        from include.freezeline.jobs.retention import apply

        params, night = runtime.current_params(), runtime.current_night()
        runtime.skip_unless(params["apply"], "dry run: trigger with apply=true to purge")
        plan_id = params["plan_id"] or planned["plan_id"]
        return runtime.run(apply, runtime.task_settings(), plan_id, night.as_of)

    @task
    def verify_purge(applied: dict) -> dict:
        from include.freezeline.jobs.retention import verify

        return runtime.run(verify, runtime.task_settings(), applied["plan_id"])

    @task
    def verify_erasures() -> dict:
        from include.freezeline.jobs.erase import verify_erasures as verify

        return runtime.run(verify, runtime.task_settings(), runtime.current_night().as_of)

    @task
    def expire_originals() -> dict:
        from include.freezeline.jobs.expire_originals import expire_originals as expire

        return runtime.run(expire, runtime.task_settings(), runtime.current_night().as_of)

    @task
    def expire_samples() -> dict:
        from include.freezeline.jobs.label_exports import expire_samples as expire

        return runtime.run(expire, runtime.task_settings(), runtime.current_night().as_of)

    verify_purge(apply_purge(plan_purge()))
    verify_erasures()
    expire_originals()
    expire_samples()


apply_retention()
