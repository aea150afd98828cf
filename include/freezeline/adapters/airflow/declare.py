"""What every DAG file declares in the same way: owner, tags, retries, pool, assets."""

from datetime import timedelta
from enum import StrEnum
from typing import Any

from airflow.sdk import Asset, Param

WRITER_POOL = "freezeline_writer"
"""Airflow pool with one slot: a DuckDB file has one writer."""

MARTS = Asset(name="freezeline_marts", uri="x-freezeline://warehouse/marts")
FREEZE_DOCUMENT = Asset(name="freezeline_freeze_document", uri="x-freezeline://published/freeze")


class Tag(StrEnum):
    """The vocabulary of DAG tags; a typing mistake is an error, not a new tag."""

    STAGE_NIGHTLY = "stage/nightly"
    STAGE_MAINTENANCE = "stage/maintenance"
    IMPACT_1 = "impact/tier_1"  # releases ship or stop on it
    IMPACT_2 = "impact/tier_2"  # a delay of a day hurts nobody
    IMPACT_3 = "impact/tier_3"


OWNER = "freezeline"
DEFAULT_ARGS: dict[str, Any] = {
    "owner": OWNER,
    "retries": 2,
    "retry_delay": timedelta(minutes=5),
    "execution_timeout": timedelta(hours=3),
}


def interval_params() -> dict[str, Param]:
    """Params that let one run cover a longer interval than its own."""
    return {
        "interval_start": Param(
            None,
            type=["null", "string"],
            format="date-time",
            description="Start of the interval, UTC; empty = the run's own night.",
        ),
        "interval_end": Param(
            None,
            type=["null", "string"],
            format="date-time",
            description="Exclusive end of the interval (as_of), UTC; empty = the run's own night.",
        ),
    }
