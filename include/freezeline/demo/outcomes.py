"""Business facts about the calls: what happened later, and when the company learned of it."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from include.freezeline.demo.calls import request_id
from include.freezeline.demo.incidents import Columns
from include.freezeline.demo.world import (
    FIRST_DATE,
    TENANTS,
    USERS_PER_TENANT,
    FeatureSpec,
    user_name,
)

FactValue = str | float | datetime
FactRow = tuple[FactValue, ...]

_LATE_RATIO = 0.008
_LATE_HOURS = 30.0


@dataclass(frozen=True, slots=True)
class FactShape:
    """One fact's files and, where it comes from calls, its lateness.

    Attributes:
        name: Fact and folder name.
        file_format: csv or parquet.
        columns: Column names in order; those that end in ``_at`` are instants.
        slot: Which of a call's lateness draws it uses.
        lag_median_h: Median hours between event and record.
        lag_spread: Standard deviation of the lag's logarithm.
        lag_max_h: Longest usual lag; a few records exceed it.
        event_delay_h: Longest time between the answer and the event.
    """

    name: str
    file_format: str
    columns: tuple[str, ...]
    slot: int = 0
    lag_median_h: float = 0.0
    lag_spread: float = 0.0
    lag_max_h: float = 0.0
    event_delay_h: float = 0.0


ESCALATIONS = FactShape(
    "escalations",
    "csv",
    ("request_id", "escalated_at", "recorded_at", "reason_code"),
    slot=0,
    lag_median_h=6.0,
    lag_spread=0.9,
    lag_max_h=60.0,
    event_delay_h=0.7,
)
OVERRIDES = FactShape(
    "overrides",
    "parquet",
    ("request_id", "overridden_at", "recorded_at", "override_type"),
    slot=1,
    lag_median_h=8.0,
    lag_spread=0.8,
    lag_max_h=48.0,
    event_delay_h=3.0,
)
CONVERSIONS = FactShape(
    "conversions",
    "csv",
    ("request_id", "converted_at", "recorded_at", "value_usd"),
    slot=2,
    lag_median_h=12.0,
    lag_spread=0.8,
    lag_max_h=72.0,
    event_delay_h=20.0,
)
SUBSCRIPTION_TIERS = FactShape(
    "subscription_tiers", "csv", ("tenant_id", "tier", "valid_from_at", "recorded_at")
)
EXPERIMENT_BUCKETS = FactShape(
    "experiment_buckets",
    "parquet",
    ("user_id", "experiment_name", "bucket_name", "assigned_at", "recorded_at"),
)
FACTS: tuple[FactShape, ...] = (
    ESCALATIONS,
    OVERRIDES,
    CONVERSIONS,
    SUBSCRIPTION_TIERS,
    EXPERIMENT_BUCKETS,
)

_REASONS = ("wrong_answer", "asked_for_person", "policy_gap", "no_answer")
_OVERRIDE_TYPES = ("edited", "replaced", "rejected")
_EXPERIMENT = "answer_length"


def outcome_rows(feature: FeatureSpec, columns: Columns) -> dict[str, list[FactRow]]:
    """Return the fact rows that a day's calls lead to, by fact."""
    counts = (columns["tenant"] >= 0) & (columns["environment"] == "production")
    succeeded = counts & ~columns["is_error"].astype(bool)
    happened = {
        ESCALATIONS: counts & columns["is_escalated"].astype(bool),
        OVERRIDES: succeeded & (columns["u_override"] < feature.override_ratio),
        CONVERSIONS: succeeded & (columns["u_conversion"] < feature.conversion_ratio),
    }
    return {
        shape.name: list(_rows(shape, columns, np.flatnonzero(hits)))
        for shape, hits in happened.items()
    }


def _rows(shape: FactShape, columns: Columns, indices: NDArray[np.intp]) -> Iterator[FactRow]:
    """Yield one fact's rows."""
    for index in indices.tolist():
        draw = float(columns["outcome_draws"][index, shape.slot])
        delay_h = 0.03 + draw * shape.event_delay_h
        event_at = _instant(int(columns["started_ns"][index])) + timedelta(hours=delay_h)
        lag_h = _lag_h(shape, columns, index)
        recorded_at = event_at + timedelta(hours=lag_h)
        name = request_id(columns["ids"][index])
        yield (name, _whole(event_at), _whole(recorded_at), _value(shape, draw))


def _lag_h(shape: FactShape, columns: Columns, index: int) -> float:
    """Return how many hours later the event was recorded; a few come after maturity."""
    normal = float(columns["lag_normals"][index, shape.slot])
    late = float(columns["lag_late"][index, shape.slot])
    if late < _LATE_RATIO:
        return shape.lag_max_h + 12 + _LATE_HOURS * late / _LATE_RATIO
    return min(shape.lag_median_h * float(np.exp(shape.lag_spread * normal)), shape.lag_max_h)


def _value(shape: FactShape, draw: float) -> str | float:
    """Return the fact's own value."""
    if shape is CONVERSIONS:
        return round(15 + 180 * draw**3, 2)
    names = _REASONS if shape is ESCALATIONS else _OVERRIDE_TYPES
    return names[int(draw * 1e6) % len(names)]


def standing_rows() -> dict[str, list[FactRow]]:
    """Return tiers and experiment buckets: an initial list and a few changes."""
    start = _midnight(FIRST_DATE) - timedelta(hours=14)
    tiers: list[FactRow] = [
        (tenant.tenant_id, tenant.tier, _midnight(date(2026, 1, 1)), start) for tenant in TENANTS
    ]
    tiers += [
        ("quarry-systems", "enterprise", _midnight(date(2026, 9, 17)), _at(date(2026, 9, 16), 15)),
        ("maple-academy", "business", _midnight(date(2026, 10, 1)), _at(date(2026, 10, 2), 9)),
    ]
    buckets: list[FactRow] = []
    for tenant in range(len(TENANTS)):
        for user in range(USERS_PER_TENANT):
            is_new = user % 10 == 9
            assigned_at = _at(date(2026, 9, 21), 8) if is_new else start
            bucket = "short_answers" if (tenant + user * 7) % 2 else "control"
            name = user_name(tenant, user)
            buckets.append((name, _EXPERIMENT, bucket, assigned_at, assigned_at))
    return {SUBSCRIPTION_TIERS.name: tiers, EXPERIMENT_BUCKETS.name: buckets}


def fact_file(shape: FactShape, rows: Iterable[FactRow]) -> bytes:
    """Write rows as the fact's file, in a fixed order."""
    recorded = shape.columns.index("recorded_at")
    ordered = sorted(rows, key=lambda row: (row[recorded], row[0]))
    return _csv(shape, ordered) if shape.file_format == "csv" else _parquet(shape, ordered)


def recorded_date(shape: FactShape, row: FactRow) -> date:
    """Return the day a row became known, which is the day of its file."""
    recorded_at = row[shape.columns.index("recorded_at")]
    assert isinstance(recorded_at, datetime)  # noqa: S101 - the shape says so
    return recorded_at.date()


def file_instant(day: date) -> datetime:
    """Return when a day's file is uploaded: in its last second, when all its rows are known."""
    return _midnight(day) + timedelta(days=1, seconds=-1)


def _csv(shape: FactShape, rows: list[FactRow]) -> bytes:
    """Write CSV with a header and ISO instants."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(shape.columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode()


def _cell(value: FactValue) -> str:
    """Write one CSV cell."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{value:.2f}" if isinstance(value, float) else value


def _parquet(shape: FactShape, rows: list[FactRow]) -> bytes:
    """Write Parquet with microsecond UTC instants."""
    instant = pa.timestamp("us", tz="UTC")
    fields = [(name, instant if name.endswith("_at") else pa.string()) for name in shape.columns]
    arrays = [
        pa.array([row[index] for row in rows], type=kind) for index, (_, kind) in enumerate(fields)
    ]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_arrays(arrays, schema=pa.schema(fields)), sink)
    return bytes(sink.getvalue().to_pybytes())


def _instant(nanoseconds: int) -> datetime:
    """Return nanoseconds since 1970 as an instant."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=nanoseconds // 1000)


def _whole(instant: datetime) -> datetime:
    """Cut an instant to whole seconds, which is what such systems record."""
    return instant.replace(microsecond=0)


def _midnight(day: date) -> datetime:
    """Return the start of a UTC day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _at(day: date, hour: int) -> datetime:
    """Return an hour of a UTC day."""
    return _midnight(day) + timedelta(hours=hour)
