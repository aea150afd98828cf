"""What the hourly questions read: one query per dimension of the hourly mart, one for tools."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from include.freezeline.adapters.warehouse import Warehouse
from include.freezeline.drift.anomaly_policy import HourlyPolicy, HourlyQuestion
from include.freezeline.drift.hourly_asked import hourly_window
from include.freezeline.drift.segments import Segment
from include.freezeline.drift.series import HourlySeries
from include.freezeline.drift.windows import Window
from include.freezeline.stats.result import FloatArray

# Which segments are looked at: all, so that one that has stopped is told; of tenants, which may be
# many, only those with enough usable hours of history.
_CALLS_SQL = """
with hours as (
    select feature, environment, coalesce(dimension_value, '') as dimension_value, n_calls,
        date_diff('hour', $started_at, period_started_at) as hour_index,
        {columns}
    from marts.agg_calls_hourly
    where dimension = $dimension and feature is not null
        -- Calls of no tenant are no tenant's; those that name no model are a series.
        and (dimension_value is not null or $dimension = 'model')
        and period_started_at >= $started_at and period_started_at < $ended_at
)
select * exclude (n_calls) from hours
window segment as (partition by feature, environment, dimension_value)
qualify count(*) filter (n_calls >= $min_calls) over segment >= $min_hours
order by feature, environment, dimension_value, hour_index
"""

_TOOLS_SQL = """
select feature, environment, feature as dimension_value,
    date_diff('hour', $started_at, date_trunc('hour', called_at)) as hour_index,
    cast(count(is_error) as double) as {name}_n,
    cast(count(*) filter (is_error) as double) as {name}_value
from marts.fct_tool_calls
where role = 'executed' and not is_canary and feature is not null and environment is not null
    and called_at >= $started_at and called_at < $ended_at
group by all
order by all
"""


def load_hourly(
    warehouse: Warehouse, policy: HourlyPolicy, as_of: datetime
) -> list[tuple[HourlyQuestion, HourlySeries]]:
    """Read the series of every hourly question and segment."""
    window = hourly_window(policy, as_of)
    found: list[tuple[HourlyQuestion, HourlySeries]] = []
    for dimension in ("feature", "model", "tenant"):
        asked = [q for q in policy.questions if q.source == "calls" and q.dimension == dimension]
        if asked:
            rows = _read_calls(warehouse, asked, policy, window, dimension)
            found += _all_series(asked, rows, window, dimension)
    for question in (q for q in policy.questions if q.source == "tools"):
        sql = _TOOLS_SQL.format(name=question.name)
        span = {"started_at": window.started_at, "ended_at": window.ended_at}
        found += _all_series([question], warehouse.query(sql, span), window, "feature")
    return found


def _read_calls(
    warehouse: Warehouse,
    asked: Sequence[HourlyQuestion],
    policy: HourlyPolicy,
    window: Window,
    dimension: str,
) -> pd.DataFrame:
    """Read value and sample size of every question about a dimension, a row per hour."""
    columns = ", ".join(column for question in asked for column in _columns(question))
    parameters = {
        "dimension": dimension,
        "started_at": window.started_at,
        "ended_at": window.ended_at,
        "min_calls": policy.min_calls_per_hour,
        "min_hours": policy.min_hours if dimension == "tenant" else 0,
    }
    return warehouse.query(_CALLS_SQL.format(columns=columns), parameters)


def _columns(question: HourlyQuestion) -> list[str]:
    """Return the SQL of all that a question reads of an hour."""
    name = question.name
    of_level = [f"{_value(question)} as {name}_value", f"{_size(question)} as {name}_n"]
    quantiles = [f"cast({q} as double) as {name}_q{i}" for i, q in enumerate(question.quantiles)]
    return of_level + quantiles


def _size(question: HourlyQuestion) -> str:
    """Return the SQL of the sample size of an hour."""
    taken_off = f" - {question.uncounted}" if question.uncounted else ""
    return f"cast({question.count}{taken_off} as double)"


def _value(question: HourlyQuestion) -> str:
    """Return the SQL of an hour's level, or of the events of a share in sampled rows."""
    column, size = f"cast({question.column} as double)", _size(question)
    if question.kind == "level":
        if not question.is_per_call:
            return column
        # The calls that the rows with a value stand for: what a changed sampling rate cancels in.
        return f"{column} / nullif(call_count * {size} / n_calls, 0)"
    if question.column.endswith("_ratio"):
        return f"round({column} * {size})"
    return f"least(round({column} * n_calls / nullif(call_count, 0)), {size})"


def _all_series(
    asked: Sequence[HourlyQuestion], rows: pd.DataFrame, window: Window, dimension: str
) -> list[tuple[HourlyQuestion, HourlySeries]]:
    """Lay every segment's rows on the hours of the window."""
    n_hours = int((window.ended_at - window.started_at).total_seconds()) // 3600
    found = []
    for key, group in rows.groupby(["feature", "environment", "dimension_value"], sort=True):
        feature, environment, name = (str(part) for part in key)
        segment = Segment(
            feature,
            environment,
            name if dimension == "model" else None,
            (("tenant_key", name),) if dimension == "tenant" else (),
        )
        hours = group["hour_index"].to_numpy(dtype=np.int64)
        for question in asked:
            name, places = question.name, range(len(question.quantiles))
            values, counts, *quantiles = (
                _on_hours(group[f"{name}_{part}"], hours, n_hours)
                for part in ("value", "n", *(f"q{place}" for place in places))
            )
            counts = np.nan_to_num(counts)
            if counts.any():
                found.append((question, HourlySeries(segment, values, counts, tuple(quantiles))))
    return found


def _on_hours(column: pd.Series, hours: NDArray[np.int64], n_hours: int) -> FloatArray:
    """Return a column laid on the hours of the window; NaN where there is no row."""
    laid = np.full(n_hours, np.nan)
    laid[hours] = column.to_numpy(dtype=np.float64)
    return laid
