"""Land the night's traces, judge every feature, and decide which releases are frozen.

**Why** An LLM feature can be up but wrong. This DAG is what notices, and what stops its releases.

**Inputs** The bucket of `FREEZELINE_SOURCE_URI` (`include/config/sources.yml`,
`include/config/facts/`), policies in `include/config/`.

**Outputs** Marts in the published snapshot, verdict rows, the signed freeze document, the flagd
file, recommended actions and the freeze report under `FREEZELINE_PUBLISH_URI`; document and flags
on this machine too; alerts to the channels of `include/config/alerts.yml` that are on (none as
shipped).

**Long intervals** Trigger with `interval_start` and `interval_end` to work through history in
one run; every midnight in between is decided as that night would have decided it.

## When it fails
The failed task's last log line says where, what was found and what to do. Until a night
succeeds the last published freeze document stays valid for 30 hours, then the gate blocks
(exit 4). Every task may be cleared and run again: it gives the same rows, and sends no alert
twice. `send_alerts` fails when a channel does not take an alert; everything else is done then.
"""

from airflow.sdk import CronDataIntervalTimetable, TaskGroup, dag, task
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
    """Declare the night: land, build, judge, decide, publish, tell."""

    @task
    def land_objects() -> dict:
        from include.freezeline.jobs.land import land

        start = runtime.current_night().start
        return runtime.run_night(land, interval_start=start, progress=runtime.progress)

    @task
    def check_landed_batch() -> dict:
        from include.freezeline.jobs.check import check_landed

        return runtime.run_night(check_landed)

    @task
    def build_warehouse() -> dict:
        from include.freezeline.jobs.build import build

        return runtime.run_night(build)

    @task(outlets=[declare.MARTS])
    def check_marts() -> dict:
        from include.freezeline.jobs.check import check_marts as check

        return runtime.run_night(check, runtime.current_night().start)

    @task
    def judge_features() -> dict:
        from include.freezeline.jobs.judge import judge

        return runtime.run_night(judge, progress=runtime.progress)

    @task
    def decide_freezes() -> dict:
        from include.freezeline.jobs.alert import decide_and_plan as decide

        given = (runtime.current_night().start, runtime.now())
        return runtime.run_night(decide, *given, progress=runtime.progress)

    @task(outlets=[declare.FREEZE_DOCUMENT])
    def publish_night() -> dict:
        from include.freezeline.jobs.publish import publish

        return runtime.run_night(publish)

    @task
    def send_alerts() -> dict:
        from include.freezeline.adapters.airflow.connections import alert_connection
        from include.freezeline.jobs.alert_send import send_alerts as send

        return runtime.run_night(send, runtime.now(), alert_connection)

    with TaskGroup("land") as land:
        land_objects() >> check_landed_batch()
    with TaskGroup("build") as build:
        build_warehouse() >> check_marts()
    land >> build >> judge_features() >> decide_freezes() >> publish_night() >> send_alerts()


nightly()
