"""What the judge reads from the marts: sampled answers and daily series, reduced in SQL."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

from include.freezeline.adapters.warehouse import Warehouse
from include.freezeline.drift.anomaly_parts import question_window
from include.freezeline.drift.anomaly_policy import AnomalyPolicy, AnomalyQuestion
from include.freezeline.drift.policy import DriftPolicy
from include.freezeline.drift.segments import Segment, SegmentTexts, TextRow
from include.freezeline.drift.series import DailyLevel, DailySeries
from include.freezeline.drift.windows import ServedDay, Window, recent_windows, reference_windows
from include.freezeline.jobs.segment_sql import (
    segment_columns,
    segment_condition,
    segment_of,
)

_VERSIONS_SQL = """
with answers as (
    select {dimensions}, coalesce(t.prompt_version, '') as version, t.called_at,
        -- Probes and what a cache repeated do not make a version serve.
        t.canary_id is null and not coalesce(c.is_gateway_cache_hit, false)
            and regexp_matches(t.output_text_redacted, '\\S') as is_organic,
        -- Days are counted back from as_of.
        ceil(epoch($as_of - t.called_at) / 86400) as age_days
    from marts.fct_call_texts as t
    left join marts.fct_llm_calls as c on t.call_key = c.call_key
    where t.called_at < $as_of
)
select * exclude (called_at, is_organic), min(called_at) as first_call_at,
    max(called_at) as last_call_at, count(*) filter (is_organic) as n_answers
from answers
group by all
order by all
"""

# A stratum is a prompt version on a day. Rows are ranked in it by a hash of their key, so that the
# first n rows take one of each stratum in turn; its answers are counted for the verdict.
_SAMPLE_SQL = """
with answers as (
    select t.call_key, t.called_at, coalesce(t.prompt_version, '') as prompt_version,
        c.is_retrieval_empty, c.tenant_key, t.canary_id, t.input_text_redacted, t.output_text_redacted,
        row_number() over (
            partition by coalesce(t.prompt_version, ''), t.canary_id is null,
                cast(t.called_at as date)
            order by md5(t.call_key)
        ) as day_rank,
        count(*) filter (regexp_matches(t.output_text_redacted, '\\S')) over (
            partition by coalesce(t.prompt_version, ''), t.canary_id is null,
                cast(t.called_at as date)
        ) as n_in_stratum
    from marts.fct_call_texts as t
    left join marts.fct_llm_calls as c on t.call_key = c.call_key
    where {subject} and coalesce(t.prompt_version, '') in $versions
        and t.called_at >= $started_at and t.called_at < $ended_at
        and t.output_text_redacted is not null
        -- What a cache repeats is no answer of the model's of today.
        and not coalesce(c.is_gateway_cache_hit, false)
)
select * from answers
where canary_id is not null or day_rank <= $per_day
order by day_rank, md5(call_key)
"""

# Each call is divided by the usual value of its prompt version, so that a rollout is no anomaly.
# Where the source samples, a row weighs as much as the calls it stands for.
_LEVEL_SQL = """
with calls as (
    select {group_columns}, cast(called_at as date) as call_date,
        coalesce(prompt_version, '') as prompt_version, cast({column} as double) as value,
        cast(sample_weight as decimal(18, 6)) as weight
    from marts.fct_llm_calls
    where called_at >= $started_at and called_at < $ended_at and not is_canary
        and {column} > 0
), baseline as (
    select *, {baseline_places} from calls where call_date < $baseline_ended
), usual as (
    select {groups}, prompt_version, {median} as usual_value
    from baseline
    group by all
    having count(*) >= $min_calls
), related as (
    select *, value / usual_value as relative_value
    from calls inner join usual using ({groups}, prompt_version)
), placed as (
    select *, {level_places}, {relative_places} from related
), levels as (
    select {groups}, call_date, count(*) as n_calls, {level} as level, {relative} as relative_level
    from placed
    group by all
)
-- Days whose calls can be compared with nothing before are days without a level.
select {groups}, call_date, coalesce(n_calls, 0) as n_calls, level, relative_level, 0 as n_bad
from (select distinct {groups}, call_date from calls)
left join levels using ({groups}, call_date)
order by all
"""

# The sample size stays what was seen; the share of bad calls is that of the calls they stand for.
_RATIO_SQL = """
select {group_columns}, cast(called_at as date) as call_date, count({column}) as n_calls,
    null as level, null as relative_level,
    cast(round(count({column}) * coalesce(sum(weight) filter ({column}), 0) / sum(weight))
        as bigint) as n_bad
from (select *, cast(sample_weight as decimal(18, 6)) as weight from marts.fct_llm_calls)
where called_at >= $started_at and called_at < $ended_at and not is_canary
    and {column} is not null
group by all
order by all
"""


def load_segments(warehouse: Warehouse, policy: DriftPolicy, as_of: datetime) -> list[SegmentTexts]:
    """Read a deterministic sample of answers of every segment.

    One that has been silent for longer than a reference is long has been given up, and is left out.
    """
    windows = recent_windows(as_of, policy)
    recent = Window(windows[-1].started_at, as_of)
    is_alive_from = recent.started_at - timedelta(days=policy.reference.days)
    dimensions = policy.segments.dimensions
    sql = _VERSIONS_SQL.format(dimensions=segment_columns(dimensions))
    versions: dict[Segment, list[dict[str, Any]]] = defaultdict(list)
    for row in warehouse.rows(sql, {"as_of": as_of}):
        versions[segment_of(row, dimensions)].append(row)
    return [
        _load_segment(warehouse, segment, rows, recent, policy)
        for segment, rows in sorted(versions.items())
        if any(row["last_call_at"] >= is_alive_from for row in rows)
    ]


def load_series(
    warehouse: Warehouse, question: AnomalyQuestion, policy: AnomalyPolicy, as_of: datetime
) -> list[DailySeries]:
    """Read the daily series of every segment of an anomaly question."""
    window = question_window(question, policy, as_of)
    rows = warehouse.rows(*_series_query(question, policy, window))
    by_segment: dict[Segment, dict[date, DailyLevel]] = defaultdict(dict)
    for row in rows:
        model = row["request_model"] if question.by_model else None
        segment = Segment(row["feature"], row["environment"], model)
        by_segment[segment][row["call_date"]] = _daily_level(row)
    days = _days(window)
    return [
        DailySeries(segment, tuple(found.get(day, DailyLevel(day, 0, None, None)) for day in days))
        for segment, found in sorted(by_segment.items())
    ]


def _load_segment(
    warehouse: Warehouse,
    segment: Segment,
    days: list[dict[str, Any]],
    recent: Window,
    policy: DriftPolicy,
) -> SegmentTexts:
    """Read one segment: each old enough prompt version's reference, and the recent answers.

    Args:
        warehouse: Where from.
        segment: Which.
        days: A row per prompt version and day that it served.
        recent: From the start of the oldest judged window to ``as_of``.
        policy: How.
    """
    where = (segment.feature, segment.environment, segment.model)
    served: dict[str, list[ServedDay]] = defaultdict(list)
    for row in days:
        day = ServedDay(row["first_call_at"].astimezone(UTC), row["n_answers"] > 0)
        served[str(row["version"])].append(day)
    references = reference_windows(
        served,
        policy.reference,
        recent,
        policy.reference.accepted_at(*where, as_of=recent.ended_at),
    )
    in_use = {str(r["version"]) for r in days if r["last_call_at"] >= recent.started_at}
    references = {version: w for version, w in references.items() if version in in_use}
    samples = [
        _sample(warehouse, segment, [version], window, policy)
        for version, window in sorted(references.items())
    ]
    # Versions take turns, so that the first n rows are spread over all of them.
    turns = sorted((i, j) for j, sample in enumerate(samples) for i in range(len(sample)))
    reference_rows = [samples[j][i] for i, j in turns]
    recent_rows = _sample(warehouse, segment, sorted(in_use), recent, policy)
    return SegmentTexts(segment, references, tuple(reference_rows), tuple(recent_rows))


def _sample(
    warehouse: Warehouse,
    segment: Segment,
    versions: list[str],
    window: Window,
    policy: DriftPolicy,
) -> list[TextRow]:
    """Read answers of a window in sampling order, probes complete."""
    if not versions:
        return []
    subject, values = segment_condition(segment)
    rows = warehouse.rows(
        _SAMPLE_SQL.format(subject=subject),
        {
            **values,
            "versions": versions,
            "started_at": window.started_at,
            "ended_at": window.ended_at,
            "per_day": policy.sampling.max_texts,
        },
    )
    return [_text_row(row) for row in rows]


def _text_row(row: dict[str, Any]) -> TextRow:
    """Turn a query row into a text row."""
    return TextRow(
        call_key=row["call_key"],
        called_at=row["called_at"].astimezone(UTC),
        prompt_version=row["prompt_version"],
        is_retrieval_empty=row["is_retrieval_empty"],
        canary_id=row["canary_id"],
        prompt=row["input_text_redacted"] or "",
        answer=row["output_text_redacted"],
        tenant_key=row["tenant_key"] or "",
        n_in_stratum=row["n_in_stratum"],
    )


def _series_query(
    question: AnomalyQuestion, policy: AnomalyPolicy, window: Window
) -> tuple[str, dict[str, Any]]:
    """Return the query of a question's series and its parameters."""
    groups, group_columns = "feature, environment", "feature, environment"
    if question.by_model:
        groups += ", request_model"
        group_columns += ", coalesce(request_model, '') as request_model"
    parameters: dict[str, Any] = {"started_at": window.started_at, "ended_at": window.ended_at}
    if question.kind == "ratio":
        return _RATIO_SQL.format(group_columns=group_columns, column=question.column), parameters
    n_current = 0 if question.kind == "creep" else policy.current_days
    parameters["baseline_ended"] = (window.ended_at - timedelta(days=n_current)).date()
    parameters["min_calls"] = policy.min_calls_per_day
    sql = _LEVEL_SQL.format(
        groups=groups,
        group_columns=group_columns,
        column=question.column,
        median=_quantile("value", 0.5),
        level=_statistic(question.statistic, "value"),
        relative=_statistic(question.statistic, "relative_value"),
        baseline_places=_places("value", f"{groups}, prompt_version"),
        level_places=_places("value", f"{groups}, call_date"),
        relative_places=_places("relative_value", f"{groups}, call_date"),
    )
    return sql, parameters


def _statistic(name: str, value: str) -> str:
    """Return the SQL of a weighted statistic of a placed value."""
    if name == "mean":
        # Added in order of size: a sum in whatever order the threads deliver differs in its last
        # digits from run to run.
        return f"sum({value} * weight order by {value}, weight) / sum(weight)"
    return _quantile(value, {"median": 0.5, "p95": 0.95}[name])


def _places(value: str, partition: str) -> str:
    """Return the columns a quantile needs: the weight before a row, and that of its group."""
    return (
        f"cast(sum(weight) over (partition by {partition} order by {value}, weight "
        f"rows unbounded preceding) - weight as double) as {value}_before, "
        f"cast(sum(weight) over (partition by {partition}) as double) as {value}_total"
    )


def _quantile(value: str, fraction: float) -> str:
    """Return the SQL of the interpolated quantile in which a row counts as often as it weighs.

    Weights of 1 give the ordinary quantile (dbt_project/macros/weighted.sql has the same).
    """
    place = f"{fraction} * ({value}_total - 1)"
    low = f"max({value}) filter ({value}_before <= {place})"
    high = f"min({value}) filter ({value}_before > {place})"
    end = f"min({value}_before) filter ({value}_before > {place})"
    step = f"({high} - {low}) * greatest(max({place}) - ({end} - 1), 0)"
    return f"{low} + coalesce({step}, 0)"


def _daily_level(row: dict[str, Any]) -> DailyLevel:
    """Turn a query row into a day."""
    return DailyLevel(
        row["call_date"], row["n_calls"], row["level"], row["relative_level"], row["n_bad"]
    )


def _days(window: Window) -> list[date]:
    """Return the days of a window, oldest first."""
    n_days = (window.ended_at - window.started_at).days
    return [(window.started_at + timedelta(days=i)).date() for i in range(n_days)]
