"""What users of other tools' exports complain of in public, each as a landing that gets it right."""

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
import pytest

from include.freezeline.adapters.lake import Lake
from include.freezeline.adapters.lake_books import LakeBooks
from include.freezeline.contracts.lake import SPANS
from include.freezeline.errors import EmptyNightError
from include.freezeline.jobs.land import land
from include.freezeline.settings import Settings
from tests.unit.landing.bucket import spans_json, write

DAY_13, DAY_14 = "otel/dt=2026-10-13/a.json", "otel/dt=2026-10-14/b.json"


def night(day: int) -> datetime:
    """The midnight that begins a day."""
    return datetime(2026, 10, day, tzinfo=UTC)


def spans(settings: Settings) -> list[dict[str, Any]]:
    """The spans in the lake."""
    files = [str(file.path) for file in Lake(settings.lake_dir).files(SPANS.name)]
    found: list[dict[str, Any]] = ds.dataset(files).to_table().to_pylist() if files else []
    return found


def late_rows_are_exported(settings: Settings) -> None:
    """langfuse#12439: rows whose own time lies before the window they arrive in."""
    write(settings, DAY_13, spans_json(1, day=13))
    land(settings, night(14), n_workers=1)
    write(settings, DAY_14, spans_json(2, day=2, seed=1))
    land(settings, night(15), n_workers=1)
    late = [row for row in spans(settings) if row["started_at"].day == 2]
    assert len(late) == 2
    ledger = {row["source_object"]: row for row in LakeBooks(Lake(settings.lake_dir)).ledger()}
    assert ledger[DAY_14]["late_count"] == 2


def empty_window_is_an_incident(settings: Settings) -> None:
    """langfuse#15617, #17429: a window without rows reports success, its row count null."""
    write(settings, DAY_13, spans_json(1, day=13))
    land(settings, night(14), n_workers=1)
    write(settings, DAY_14, b"")
    with pytest.raises(EmptyNightError, match="nothing"):
        land(settings, night(15), n_workers=1)
    (line,) = [
        row
        for row in LakeBooks(Lake(settings.lake_dir)).nights()
        if row["source_name"] == "traces" and row["night_as_of"] == night(15)
    ]
    assert (line["record_count"], line["empty_object_count"]) == (0, 1)


def loading_again_duplicates_nothing(settings: Settings) -> None:
    """langfuse-docs#3793: a continuous load that reads an object twice has its rows twice."""
    write(settings, DAY_13, spans_json(3, day=13))
    for _ in range(3):
        land(settings, night(14), n_workers=1)
    write(settings, DAY_13, spans_json(3, day=13) + b"\n")  # uploaded again, other bytes
    land(settings, night(14), n_workers=1)
    assert len(spans(settings)) == 3


def warehouse_is_rebuilt_from_raw_objects(settings: Settings) -> None:
    """langfuse#10778: no way back from the raw events when the database is lost."""
    write(settings, DAY_13, spans_json(3, day=13))
    land(settings, night(14), n_workers=1)
    other = settings.model_copy(update={"home": settings.home.with_name("other")})
    land(other, night(14), n_workers=1)
    contents = [
        {path.relative_to(home.lake_dir): path.read_bytes() for path in files(home)}
        for home in (settings, other)
    ]
    assert contents[0] == contents[1]


def files(settings: Settings) -> list[Path]:
    """The files of a lake."""
    return sorted(settings.lake_dir.rglob("*.parquet"))


def every_row_says_when_it_arrived(settings: Settings) -> None:
    """litellm#37361: without an ingestion time, readers must read windows again and again."""
    write(settings, DAY_13, spans_json(1, day=2))
    land(settings, night(14), n_workers=1)
    (row,) = spans(settings)
    assert row["started_at"].day == 2
    assert night(13) < row["arrived_at"] < night(14)


def end_of_the_night_is_exclusive(settings: Settings) -> None:
    """docs.getdbt.com#8351: whether an end is part of its window, and a row at midnight lost."""
    write(settings, DAY_13, spans_json(1, day=13))
    write(settings, DAY_14, spans_json(1, day=14, seed=1))
    land(settings, night(14), n_workers=1)
    assert len(spans(settings)) == 1
    land(settings, night(15), n_workers=1)
    assert len(spans(settings)) == 2


def ids_in_attribute_names_make_no_columns(settings: Settings) -> None:
    """langwatch#5086: a tenant's UUIDs as attribute names, and discovery needs 12 GiB."""
    document = json.loads(spans_json(200, day=13))
    for span in document["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        name = f"tenant.{uuid.uuid5(uuid.NAMESPACE_OID, span['spanId'])}"
        span["attributes"].append({"key": name, "value": {"stringValue": "x"}})
    write(settings, DAY_13, json.dumps(document).encode())
    land(settings, night(14), n_workers=1)
    rows = spans(settings)
    assert len(rows) == 200
    assert set(rows[0]) == set(SPANS.column_names)


COMPLAINTS: tuple[Callable[[Settings], None], ...] = (
    late_rows_are_exported,
    empty_window_is_an_incident,
    loading_again_duplicates_nothing,
    warehouse_is_rebuilt_from_raw_objects,
    every_row_says_when_it_arrived,
    end_of_the_night_is_exclusive,
    ids_in_attribute_names_make_no_columns,
)


@pytest.mark.parametrize("complaint", COMPLAINTS, ids=lambda case: case.__name__)
def test_complaint_is_none_here(settings: Settings, complaint: Callable[[Settings], None]) -> None:
    complaint(settings)
