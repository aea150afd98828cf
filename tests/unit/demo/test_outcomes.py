"""Facts: lateness, shapes and files."""

import csv
import io
from datetime import date, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq

from include.freezeline.demo.outcomes import (
    CONVERSIONS,
    ESCALATIONS,
    EXPERIMENT_BUCKETS,
    FACTS,
    OVERRIDES,
    SUBSCRIPTION_TIERS,
    FactRow,
    FactShape,
    fact_file,
    outcome_rows,
    recorded_date,
    standing_rows,
)
from include.freezeline.demo.traffic import draw_day
from include.freezeline.demo.world import DATES, RISK, SUPPORT


def _rows(shape: FactShape) -> list[FactRow]:
    feature = RISK if shape is OVERRIDES else SUPPORT
    days = [draw_day(feature, d, seed=7, scale=1.0, active=frozenset()) for d in DATES[:28]]
    return [row for columns in days for row in outcome_rows(feature, columns)[shape.name]]


def _lags_h(rows: list[FactRow]) -> list[float]:
    pairs = [(row[1], row[2]) for row in rows]
    return sorted(
        (known - event).total_seconds() / 3600
        for event, known in pairs
        if isinstance(event, datetime) and isinstance(known, datetime)
    )


def test_lags_have_their_median_and_few_are_later_than_usual() -> None:
    for shape in (ESCALATIONS, OVERRIDES, CONVERSIONS):
        lags = _lags_h(_rows(shape))
        assert len(lags) > 200
        assert 0.75 < lags[len(lags) // 2] / shape.lag_median_h < 1.3
        n_late = sum(lag > shape.lag_max_h + 0.1 for lag in lags)
        assert lags[0] >= 0
        assert lags[-1] <= shape.lag_max_h + 43
        assert n_late <= len(lags) * 0.03


def test_some_conversions_come_after_maturity() -> None:
    lags = _lags_h(_rows(CONVERSIONS))
    assert sum(lag > 73 for lag in lags) >= 5


def test_outcomes_belong_to_distinct_requests() -> None:
    for shape in (ESCALATIONS, OVERRIDES, CONVERSIONS):
        names = [row[0] for row in _rows(shape)]
        assert len(set(names)) == len(names) > 200


def test_csv_has_header_and_utc_instants() -> None:
    rows = _rows(ESCALATIONS)[:5]
    table = list(csv.DictReader(io.StringIO(fact_file(ESCALATIONS, rows).decode())))
    assert len(table) == 5
    assert tuple(table[0]) == ESCALATIONS.columns
    assert all(datetime.fromisoformat(row["recorded_at"]).tzinfo for row in table)


def test_parquet_has_typed_instants_and_stable_bytes() -> None:
    rows = _rows(OVERRIDES)[:9]
    data = fact_file(OVERRIDES, rows)
    assert data == fact_file(OVERRIDES, rows[::-1])
    table = pq.read_table(pa.BufferReader(data))
    assert table.num_rows == 9
    assert table.schema.field("recorded_at").type == pa.timestamp("us", tz="UTC")


def test_standing_facts_begin_before_the_history_and_change_in_it() -> None:
    rows = standing_rows()
    for shape in (SUBSCRIPTION_TIERS, EXPERIMENT_BUCKETS):
        days = sorted({recorded_date(shape, row) for row in rows[shape.name]})
        assert days[0] == date(2026, 8, 31)
        assert days[-1] > DATES[0] + timedelta(days=7)
    assert len(FACTS) == 5
