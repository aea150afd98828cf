"""Run the nightly DAG as ``local_run`` does, and write down when each job began and ended.

``python -m tests.bench.night_dag MARKS nightly --interval START END`` appends JSON lines to the
file MARKS: one for each job called by a task, and one named ``dag`` around the whole run, with the
CPU seconds it took. What a run took beside its jobs is Airflow's own.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from include.freezeline.adapters import dbt
from include.freezeline.adapters.airflow import local_run, runtime


def main(arguments: list[str]) -> int:
    """Run the DAG with every job timed."""
    marks = Path(arguments[0])
    runtime.run = _timed_job(runtime.run, marks)
    dbt._invoke = _with_results(dbt._invoke)
    local_run.run_dag = _timed(local_run.run_dag, marks, "dag")
    return local_run.main(arguments[1:])


def _timed_job(run: Callable[..., Any], marks: Path) -> Callable[..., Any]:
    """Time the job that a task hands to the runtime, under the job's own name."""

    def timed(job: Callable[..., Any], /, *args: object, **kwargs: object) -> Any:
        return run(_timed(job, marks, job.__name__), *args, **kwargs)

    return timed


def _with_results(invoke: Callable[..., Any]) -> Callable[..., Any]:
    """Let dbt write when each model ran, which a night has no use for."""

    def invoked(
        settings: Any, command: str, variables: Any, extra: Sequence[str], manifest: Any = None
    ) -> Any:
        words = [word for word in extra if word != "--no-write-json"]
        return invoke(settings, command, variables, words, manifest)

    return invoked


def _timed(work: Callable[..., Any], marks: Path, name: str) -> Callable[..., Any]:
    """Write down when a call began and ended."""

    def timed(*args: object, **kwargs: object) -> Any:
        began, cpu_s = time.time(), _cpu_s()
        try:
            return work(*args, **kwargs)
        finally:
            mark = {
                "name": name,
                "began_s": began,
                "ended_s": time.time(),
                "cpu_s": _cpu_s() - cpu_s,
            }
            with marks.open("a", encoding="utf-8") as file:
                file.write(json.dumps(mark) + "\n")

    return timed


def _cpu_s() -> float:
    """Return the CPU seconds of this process and of its workers that have ended."""
    return sum(os.times()[:4])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
