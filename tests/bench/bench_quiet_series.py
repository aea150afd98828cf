"""How many false alarms a month do the questions about series give a quiet house?

``python -m tests.bench.bench_quiet_series [--nights N] [--segments N] [--quick]`` makes up months of
series in which nothing changes for good: traffic with a daily and weekly season and nights of few
calls, levels whose days of the week differ (in some segments not at all, in some at weekends, in
some on Mondays and Tuesdays), day-to-day noise that hangs together, and shares of events that are
rare or common and vary more than a binomial. Night after night all daily and hourly questions of the
shipped policy are asked and decided together, by the product's own code. Printed are breaches and
warnings a month of 30 nights, with Garwood's exact 95% interval; a run of nights with the same
verdict of one question and segment counts once. Fails when there is more than one run of nights
with a breach a month.
"""

import argparse
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from include.freezeline.config import config_dir
from include.freezeline.drift.anomalies import ask_anomaly
from include.freezeline.drift.anomaly_night import decide_anomalies
from include.freezeline.drift.anomaly_policy import (
    AnomalyPolicy,
    AnomalyQuestion,
    load_anomaly_policy,
)
from include.freezeline.drift.findings import Finding
from include.freezeline.drift.hourly import ask_hourly
from include.freezeline.drift.segments import Segment
from include.freezeline.drift.series import DailyLevel, DailySeries, HourlySeries
from include.freezeline.settings import Settings
from include.freezeline.stats.result import FloatArray
from tests.unit.drift.quiet_nights import NIGHTS_A_MONTH, episodes, poisson_interval
from tests.unit.drift.worlds import FIRST_DAY

HISTORY_DAYS = 31
MOST_A_MONTH = 1.0
_TOLD = 10
# Days of the week that differ, Monday first.
_WEEKS = (
    (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0),
    (1.0, 1.0, 1.0, 1.0, 1.0, 1.4, 1.4),
    (1.3, 1.3, 1.0, 1.0, 1.0, 1.0, 1.0),
)
_SHARES = (0.0, 0.001, 0.01, 0.05)
# Spread of single calls (log), and of days, with their correlation from day to day.
_CALL_SD, _DAY_SD, _DAY_CORRELATION = 0.7, 0.03, 0.5
_SHARE_DAY_SD = 0.15
_QUANTILE_Z = (-0.674, 0.0, 0.674, 1.282)


@dataclass(frozen=True, slots=True)
class World:
    """Hours of one segment and question, as many days as the nights need.

    Attributes:
        values: Levels, or events that count.
        counts: Calls.
        quantiles: Quantiles of the same number.
    """

    values: FloatArray
    counts: FloatArray
    quantiles: tuple[FloatArray, ...] = ()


def traffic(rng: np.random.Generator, n_days: int) -> FloatArray:
    """Return calls per hour: busy days, quiet nights, fewer at weekends."""
    hours = np.arange(n_days * 24)
    by_day = 1.0 + 0.8 * np.sin(2.0 * np.pi * (hours - 9) / 24)
    weekend = np.where(_weekdays(n_days) >= 5, rng.uniform(0.3, 1.0), 1.0)
    return rng.poisson(rng.uniform(40.0, 300.0) * by_day * weekend).astype(np.float64)


def level_world(rng: np.random.Generator, counts: FloatArray, n_quantiles: int) -> World:
    """Return a level that has seasons, wanders a little from day to day, and never changes."""
    n_days = len(counts) // 24
    hours = np.arange(len(counts))
    week = np.asarray(_WEEKS[rng.integers(len(_WEEKS))])[_weekdays(n_days)]
    hour = 1.0 + 0.2 * np.sin(2.0 * np.pi * (hours + rng.integers(24)) / 24)
    usual = 500.0 * week * hour * np.exp(_wander(rng, n_days, _DAY_SD))[hours // 24]
    spread = _CALL_SD / np.sqrt(np.maximum(counts, 1.0))
    mean = usual * np.exp(rng.normal(0.0, 1.0, len(hours)) * spread)
    quantiles = tuple(
        usual * np.exp(_CALL_SD * z + rng.normal(0.0, 1.4, len(hours)) * spread)
        for z in _QUANTILE_Z[:n_quantiles]
    )
    return World(mean, counts, quantiles)


def share_world(rng: np.random.Generator, counts: FloatArray) -> World:
    """Return events of a share that has a weekly season, and varies more than a binomial."""
    n_days = len(counts) // 24
    week = np.asarray(_WEEKS[rng.integers(len(_WEEKS))])[_weekdays(n_days)] ** 2
    day = np.exp(_wander(rng, n_days, _SHARE_DAY_SD))[np.arange(len(counts)) // 24]
    share = np.minimum(1.0, rng.choice(_SHARES) * week * day)
    return World(rng.binomial(counts.astype(np.int64), share).astype(np.float64), counts)


def _weekdays(n_days: int) -> np.ndarray:
    """Return the day of the week of each hour."""
    return (FIRST_DAY.weekday() + np.arange(n_days * 24) // 24) % 7


def _wander(rng: np.random.Generator, n_days: int, sd: float) -> FloatArray:
    """Return noise of days that hang together."""
    noise = rng.normal(0.0, sd, n_days)
    for day in range(1, n_days):
        keep = np.sqrt(1.0 - _DAY_CORRELATION**2)
        noise[day] = _DAY_CORRELATION * noise[day - 1] + keep * noise[day]
    return noise


def worlds_of(
    number: int, policy: AnomalyPolicy, n_days: int
) -> tuple[dict[str, World], dict[str, World]]:
    """Return the daily and the hourly series of a segment by question."""
    rng = np.random.default_rng([7, number])
    counts = traffic(rng, n_days)
    by_column: dict[str, World] = {}
    for question in policy.questions:
        is_ratio = question.kind == "ratio"
        fresh = share_world(rng, counts) if is_ratio else level_world(rng, counts, 0)
        by_column.setdefault(question.column, fresh)
    daily = {question.name: by_column[question.column] for question in policy.questions}
    hourly = {
        question.name: level_world(rng, counts, len(question.quantiles))
        if question.kind == "level"
        else share_world(rng, counts)
        for question in policy.hourly.questions
    }
    return daily, hourly


def daily_series(
    question: AnomalyQuestion, segment: Segment, world: World, n_days: int, end: int
) -> DailySeries:
    """Return the days that a night reads."""
    days = []
    for day in range(end - n_days, end):
        hours = slice(day * 24, day * 24 + 24)
        counts, values = world.counts[hours], world.values[hours]
        date = (FIRST_DAY + timedelta(days=day)).date()
        n_calls = int(counts.sum())
        if question.kind == "ratio":
            days.append(DailyLevel(date, n_calls, None, None, int(values.sum())))
        else:
            level = float(np.average(values, weights=counts))
            days.append(DailyLevel(date, n_calls, level, level))
    return DailySeries(segment, tuple(days))


def night_of(
    number: int,
    worlds: tuple[dict[str, World], dict[str, World]],
    policy: AnomalyPolicy,
    end: int,
) -> Iterator[tuple[str, Finding]]:
    """Yield the findings of a segment on a night."""
    segment, as_of = Segment(f"feature-{number:02d}", "production", "m"), _as_of(end)
    daily, hourly = worlds
    for question in policy.questions:
        n_days = policy.creep_days if question.kind == "creep" else HISTORY_DAYS
        series = daily_series(question, segment, daily[question.name], n_days, end)
        yield "daily", ask_anomaly(question, series, policy, as_of)
    hours = slice((end - HISTORY_DAYS) * 24, end * 24)
    for question in policy.hourly.questions:
        world = hourly[question.name]
        quantiles = tuple(values[hours] for values in world.quantiles)
        series = HourlySeries(segment, world.values[hours], world.counts[hours], quantiles)
        yield "hourly", ask_hourly(question, series, policy.hourly, as_of)


def _as_of(end: int) -> datetime:
    """Return the end of a night."""
    return FIRST_DAY + timedelta(days=end)


def count_alarms(n_nights: int, n_segments: int) -> tuple[Counter[str], dict[str, int]]:
    """Judge the nights; return verdicts counted, and runs of nights by kind and verdict."""
    policy = load_anomaly_policy(config_dir(Settings()))
    worlds = [worlds_of(i, policy, HISTORY_DAYS + n_nights) for i in range(n_segments)]
    counts: Counter[str] = Counter()
    told: dict[tuple[str, str, str, str], list[int]] = defaultdict(list)
    for night in range(n_nights):
        asked = [
            found
            for i, world in enumerate(worlds)
            for found in night_of(i, world, policy, HISTORY_DAYS + night)
        ]
        kinds = [kind for kind, _ in asked]
        judged = decide_anomalies([finding for _, finding in asked], policy)
        for kind, each in zip(kinds, judged, strict=True):
            counts[each.verdict] += 1
            if each.verdict in ("breach", "warning"):
                finding = each.finding
                told[kind, each.verdict, finding.segment.feature, finding.question].append(night)
            if each.verdict == "breach":
                print(f"  night {night}: {each.reason}", flush=True)
        if night % _TOLD == _TOLD - 1:
            print(f"  {night + 1} nights: {dict(sorted(counts.items()))}", flush=True)
    return counts, _runs(told)


def _runs(told: dict[tuple[str, str, str, str], list[int]]) -> dict[str, int]:
    """Count runs of nights by kind and verdict."""
    runs: Counter[str] = Counter()
    for (kind, verdict, _, _), found in told.items():
        runs[f"{kind} {verdict}"] += episodes(found)
    return dict(runs)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the rates."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nights", type=int, default=90)
    parser.add_argument("--segments", type=int, default=50)
    parser.add_argument("--quick", action="store_true", help="3 nights, 4 segments")
    given = parser.parse_args(arguments)
    n_nights, n_segments = (3, 4) if given.quick else (given.nights, given.segments)
    started, n_months = time.process_time(), n_nights / NIGHTS_A_MONTH
    counts, runs = count_alarms(n_nights, n_segments)
    print(f"{n_nights} nights, {n_segments} segments, {dict(sorted(counts.items()))}")
    for name in ("daily breach", "daily warning", "hourly breach", "hourly warning"):
        n = runs.get(name, 0)
        lower, upper = (end / n_months for end in poisson_interval(n))
        print(
            f"runs of nights, {name:15} {n:4d}   {n / n_months:.2f} a month ({lower:.2f} to {upper:.2f})"
        )
    print(f"{time.process_time() - started:.0f} CPU seconds")
    n_breaches = runs.get("daily breach", 0) + runs.get("hourly breach", 0)
    return 1 if n_breaches / n_months > MOST_A_MONTH else 0


if __name__ == "__main__":
    sys.exit(main())
