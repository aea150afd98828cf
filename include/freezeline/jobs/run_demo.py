"""The demo: a bucket of real traces, the nightly DAG through Airflow, and what came of it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from include.freezeline.adapters.airflow.local_run import airflow_environment
from include.freezeline.adapters.warehouse import latest_snapshot, open_warehouse
from include.freezeline.demo.defaults import demo_settings
from include.freezeline.errors import FreezelineError
from include.freezeline.jobs.demo import make_demo_bucket
from include.freezeline.settings import Settings

__all__ = ["DemoOutcome", "as_json", "demo_settings", "read_outcome", "run_demo"]

HISTORY_START = datetime(2026, 9, 1, tzinfo=UTC)
HISTORY_END = datetime(2026, 10, 13, tzinfo=UTC)
NIGHT_END = HISTORY_END + timedelta(days=1)

_LANDED_SQL = """
select source_name,
       count(*) as object_count,
       sum(record_count) as record_count,
       sum(landed_count) as landed_count,
       sum(duplicate_count) as duplicate_count,
       sum(quarantined_count) as quarantined_count,
       sum(redaction_count) as redaction_count
from marts.fct_landed_objects group by source_name order by source_name
"""
_FLAGS_SQL = """
select feature, environment, state, reason, since_at, earliest_thaw_at
from judgement.freeze_flags
where as_of = ?
qualify row_number() over (partition by flag_key order by revision desc) = 1
order by feature, environment
"""
_VERDICTS_SQL = """
select feature, environment, family, question, model, verdict, reason
from judgement.verdicts
where as_of = ?
qualify row_number() over (partition by verdict_key order by revision desc) = 1
order by feature, environment, family, question, model
"""


@dataclass(frozen=True, slots=True)
class DemoOutcome:
    """What the demo did, read back from the published snapshot.

    Attributes:
        as_of: End of the last night.
        landed: One row per source with its counts.
        flags: One row per feature and environment.
        verdicts: One row per question asked about the last night.
        snapshot: The published database file.
        published_uri: Where report, freeze document and flags lie.
    """

    as_of: datetime
    landed: Sequence[Mapping[str, Any]]
    flags: Sequence[Mapping[str, Any]]
    verdicts: Sequence[Mapping[str, Any]]
    snapshot: Path
    published_uri: str


def run_demo(
    settings: Settings,
    *,
    incidents: bool | frozenset[str] = True,
    scale: float = 1.0,
    progress: Callable[[str], None],
) -> DemoOutcome:
    """Write the demo bucket, run six weeks of history and one night, and read the outcome.

    Args:
        settings: ``source_uri`` is the bucket to write and land; everything else goes under
            ``home``.
        incidents: True for all planted incidents, False for a quiet world, or names of some.
        scale: Traffic relative to the full demo of about 60,000 calls.
        progress: Called with one line per step.

    Raises:
        FreezelineError: A DAG run failed; its output says which task and why.
    """
    progress("1/3 writing the demo bucket")
    make_demo_bucket(settings, incidents=incidents, scale=scale, progress=progress)
    progress("2/3 running the nightly DAG through Airflow: 42 days of history, then one night")
    _run_nightly(settings)
    progress("3/3 reading what was published")
    return read_outcome(settings, NIGHT_END)


def read_outcome(settings: Settings, as_of: datetime) -> DemoOutcome:
    """Read the outcome of a night from the published snapshot."""
    snapshot = latest_snapshot(settings)
    with open_warehouse(snapshot, read_only=True) as warehouse:
        return DemoOutcome(
            as_of=as_of,
            landed=warehouse.rows(_LANDED_SQL),
            flags=warehouse.rows(_FLAGS_SQL, [as_of]),
            verdicts=warehouse.rows(_VERDICTS_SQL, [as_of]),
            snapshot=snapshot,
            published_uri=settings.published_uri,
        )


def _run_nightly(settings: Settings) -> None:
    """Run both intervals in one Airflow process with a metadata database of its own."""
    # Not the home of `make airflow`: its scheduler would resume a run that was stopped here.
    airflow_home = settings.home.resolve() / "airflow-demo"
    airflow_home.mkdir(parents=True, exist_ok=True)
    intervals = ((HISTORY_START, HISTORY_END), (HISTORY_END, NIGHT_END))
    command = [sys.executable, "-m", "include.freezeline.adapters.airflow.local_run", "nightly"]
    for start, end in intervals:
        command += ["--interval", start.isoformat(), end.isoformat()]
    root = Path.cwd()
    environment = os.environ | settings.as_environment() | airflow_environment(airflow_home, root)
    done = subprocess.run(command, env=environment, cwd=root, check=False)  # noqa: S603
    if done.returncode:
        message = (
            f"the nightly DAG failed (exit {done.returncode}); the lines above name the task and "
            "the reason (mend it and run the demo again, it goes on where it stopped)"
        )
        raise FreezelineError(message)


def as_json(outcome: DemoOutcome) -> str:
    """Return the outcome as JSON text, for scripts and tests."""
    values = {
        "as_of": outcome.as_of,
        "landed": list(outcome.landed),
        "flags": list(outcome.flags),
        "verdicts": list(outcome.verdicts),
        "snapshot": outcome.snapshot,
        "published_uri": outcome.published_uri,
    }
    return json.dumps(values, default=str, indent=1)
