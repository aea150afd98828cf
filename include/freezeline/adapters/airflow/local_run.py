"""Run DAGs to the end in this process, without a scheduler: for the demo and the tests.

``python -m include.freezeline.adapters.airflow.local_run nightly --interval START END`` runs
real operators, XComs and asset events through Airflow's in-process execution API against the
metadata database of ``AIRFLOW_HOME``, which is created when missing. Use a throw-away
``AIRFLOW_HOME``: a scheduler started on it later would resume an abandoned run.
"""

import argparse
import logging
import os
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any


def airflow_environment(airflow_home: Path, root: Path) -> dict[str, str]:
    """Return the environment variables that point Airflow at this project.

    Args:
        airflow_home: Folder of the metadata database and logs.
        root: The project's root, which holds ``dags/`` and ``plugins/``.
    """
    python_path = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH", "")]))
    return {
        "AIRFLOW_HOME": str(airflow_home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(root / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(root / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(airflow_home / "passwords.json"),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        "PYTHONWARNINGS": "ignore",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "DO_NOT_TRACK": "1",
        # The statistics are many small matrix products: threads cost more than they give.
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
        "PYTHONPATH": python_path,
    }


def run_dag(dag_id: str, interval: tuple[datetime, datetime], conf: Mapping[str, Any]) -> str:
    """Run one DAG over one interval and return the run's final state.

    Args:
        dag_id: File name and id of the DAG.
        interval: Start and exclusive end, UTC.
        conf: More params.

    Raises:
        KeyError: No such DAG, or its file does not import.
    """
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
    if dag_id not in bag.dags:
        message = f"no DAG {dag_id!r}; import errors: {bag.import_errors}"
        raise KeyError(message)
    start, end = (moment.isoformat() for moment in interval)
    dag = bag.dags[dag_id]
    for task in dag.tasks:
        # A person is waiting: show the failure now instead of after the retry delays.
        task.retries = 0
    run = dag.test(
        logical_date=interval[1],
        run_conf={"interval_start": start, "interval_end": end, **conf},
    )
    _print_failures(run)
    return str(run.state.value if hasattr(run.state, "value") else run.state)


def prepare_database() -> None:
    """Create the metadata database when it is missing, and the writer pool."""
    from airflow.models.pool import Pool
    from airflow.utils.db import initdb

    from include.freezeline.adapters.airflow.declare import WRITER_POOL

    initdb()
    Pool.create_or_update_pool(
        WRITER_POOL, slots=1, description="One writer per warehouse", include_deferred=False
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a DAG once per interval given; return 0 when every run succeeded."""
    parser = argparse.ArgumentParser(prog="local_run", description=main.__doc__)
    parser.add_argument("dag_id")
    parser.add_argument("--interval", nargs=2, action="append", required=True, metavar="TIME")
    parser.add_argument("--conf", default="{}", help="more params as JSON")
    given = parser.parse_args(arguments)
    _show_progress()
    prepare_database()
    return _run_all(given)


def _run_all(given: argparse.Namespace) -> int:
    """Run the intervals in order and stop at the first that fails."""
    import json

    for start, end in given.interval:
        began = time.monotonic()
        interval = (datetime.fromisoformat(start), datetime.fromisoformat(end))
        state = run_dag(given.dag_id, interval, json.loads(given.conf))
        took_s = time.monotonic() - began
        sys.stderr.write(f"  {given.dag_id} {start} .. {end}: {state} in {took_s:.0f} s\n")
        if state != "success":
            return 1
    return 0


def _show_progress() -> None:
    """Print progress lines to stderr whatever Airflow does to logging."""
    handler = logging.StreamHandler(sys.__stderr__)
    handler.setFormatter(logging.Formatter("    %(message)s"))
    log = logging.getLogger("freezeline.progress")
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    log.propagate = False


def _print_failures(run: Any) -> None:
    """Name the tasks that failed."""
    for instance in run.get_task_instances():
        if str(instance.state) in {"failed", "upstream_failed"}:
            sys.stderr.write(f"  {instance.task_id}: {instance.state}\n")


if __name__ == "__main__":
    sys.exit(main())
