"""Land the night's traces, judge every feature, and decide which releases are frozen.

**Why** An LLM feature can be up but wrong. This DAG is what notices, and what stops its releases.

**Inputs** The bucket of `FREEZELINE_SOURCE_URI` (`include/config/sources.yml`,
`include/config/facts/`), policies in `include/config/`.

**Outputs** Marts in the published snapshot, verdict rows, the signed freeze document, the flagd
file and the freeze report under `FREEZELINE_PUBLISH_URI`; document and flags on this machine too.

**Long intervals** Trigger with `interval_start` and `interval_end` to work through history in
one run; every midnight in between is decided as that night would have decided it.

## When it fails
The failed task's last log line says where, what was found and what to do. Until a night
succeeds the last published freeze document stays valid for 30 hours, then the gate blocks
(exit 4). Every task may be cleared and run again: it gives the same rows.
"""

from airflow.sdk import CronDataIntervalTimetable, dag, task, task_group
from pendulum import datetime

from include.freezeline.adapters.airflow import declare, runtime


@dag(
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    start_date=datetime(2026, 9, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args=declare.DEFAULT_ARGS | {"pool": declare.WRITER_POOL},
    params=declare.interval_params(),
    tags=[declare.Tag.STAGE_NIGHTLY, declare.Tag.IMPACT_1],
    doc_md=__doc__,
)
def nightly() -> None:
    """Declare the night: land, build, judge, decide, publish."""

    @task
    def land_objects() -> dict:
        from include.freezeline.jobs.land import land

        night, settings = runtime.current_night(), runtime.task_settings()
        given = {"interval_start": night.start, "progress": runtime.progress}
        return runtime.run(land, settings, night.as_of, **given)

    @task
    def check_landed_batch() -> dict:
        from include.freezeline.jobs.check import check_landed

        return runtime.run(check_landed, runtime.task_settings(), runtime.current_night().as_of)

    @task
    def build_warehouse() -> dict:
        from include.freezeline.jobs.build import build

        return runtime.run(build, runtime.task_settings(), runtime.current_night().as_of)

    @task(outlets=[declare.MARTS])
    def check_marts() -> dict:
        from include.freezeline.jobs.check import check_marts as check

        night, settings = runtime.current_night(), runtime.task_settings()
        return runtime.run(check, settings, night.as_of, night.start)

    @task
    def judge_features() -> dict:
        from include.freezeline.jobs.judge import judge

        night, settings = runtime.current_night(), runtime.task_settings()
        return runtime.run(judge, settings, night.as_of, progress=runtime.progress)

    @task
    def decide_freezes() -> dict:
        from include.freezeline.jobs.decide import decide

        night, settings = runtime.current_night(), runtime.task_settings()
        return runtime.run(decide, settings, night.start, night.as_of, progress=runtime.progress)

    @task(outlets=[declare.FREEZE_DOCUMENT])
    def publish_night() -> dict:
        from include.freezeline.jobs.publish import publish

        return runtime.run(publish, runtime.task_settings(), runtime.current_night().as_of)

    @task_group
    def land() -> None:
        land_objects() >> check_landed_batch()

    @task_group
    def build() -> None:
        build_warehouse() >> check_marts()

    land() >> build() >> judge_features() >> decide_freezes() >> publish_night()


nightly()
