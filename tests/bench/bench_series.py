"""False alarms and delay of the hourly detector beside the fixed rules people use.

Run ``python -m tests.bench.bench_series`` for made-up series, or with ``--data FOLDER`` for tokens
per request of real clients (servegen_*.parquet: rates per 10 minutes and a quantile function per
6 hours; the requests of an hour are drawn from it). Ours sees the mean and four quantiles of an hour,
the others the mean. Each series is replayed night by night, as the
judge does, hour by hour inside the night. Three protocols:

- ``recorded``: the hours as they were. Real changes of a client are in there and count as false
  alarms; ``unprovoked`` are those where the level of the source itself, without sampling noise,
  was within 20% of its usual level at these hours.
- ``reordered``: the client's own days in random order, each once, so that nothing lasts but by chance.
- ``shuffled``: 35 days drawn from the client's own days. Season, tails and hours that hang together
  stay, lasting changes do not: here every alarm is false. Four weeks of history are drawn from two, so
  most judged days were seen before: it flatters whoever remembers levels.

Of any method alarms in one direction within 24 hours are one. Shifts of 1.5x and 1.25x of every
request are planted at random hours, of which at least four of the first six have requests, and stay.
A shift counts as found when an alarm upwards is raised inside its time; chance alarms count too, for
every method. The median delay is that of all shifts, one that no alarm followed in its time is never
found. ``series that hold``: at least half of the shifts of either size are found in time.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from scipy import stats

from include.freezeline.stats.hourly_scan import HourlyPlan
from include.freezeline.stats.proportions import jeffreys_interval
from include.freezeline.stats.readings import scan_readings
from tests.bench.series_worlds import (
    BASELINE_DAYS,
    DAY,
    Series,
    is_long_enough,
    made_up,
    recorded,
    reordered,
    shuffled,
)

HOURS_A_MONTH = 720
SHIFTS = ((1.5, 6), (1.25, 24))
PLAN = HourlyPlan(min_change_ratio=0.2, is_two_sided=True)
# Scatter (log) of the six-hour levels around their usual level at this time of day.
GROUPS = ((0.05, "steady, < 0.05"), (0.1, "0.05-0.1"), (0.2, "0.1-0.2"), (np.inf, "wild, > 0.2"))


Method = Callable[[Series, int], tuple[list[tuple[int, bool]], int]]
"""Alarms (hour, upwards) of a day, and how many of its hours were judged."""


def ours(series: Series, day: int) -> tuple[list[tuple[int, bool]], int]:
    """The night's scan of one day, mean and quantiles, on at most four weeks before it."""
    return _scan(series, day, series.quantiles)


def mean_alone(series: Series, day: int) -> tuple[list[tuple[int, bool]], int]:
    """The same without the quantiles."""
    return _scan(series, day, series.quantiles[:0])


def _scan(series: Series, day: int, quantiles: np.ndarray) -> tuple[list[tuple[int, bool]], int]:
    """Return the alarms of the reading that the night would tell of."""
    first = max(0, day - BASELINE_DAYS)
    span = slice(first * DAY, (day + 1) * DAY)
    split = (day - first) * DAY
    scan, _ = scan_readings(
        series.values[span], list(quantiles[:, span]), series.counts[span], split, PLAN
    )
    if scan.reason is not None:
        return [], 0
    alarms = [(first * DAY + alarm.hour, alarm.is_rise) for alarm in scan.alarms]
    return alarms, _n_known(series, day)


def rolling_deviation(series: Series, day: int) -> tuple[list[tuple[int, bool]], int]:
    """Seed rule: more than three standard deviations from the mean of the 24 hours before."""

    def rule(past: np.ndarray, now: float) -> int:
        if len(past) < 6 or past.std() == 0.0:
            return 0
        z = (now - past.mean()) / past.std()
        return int(np.sign(z)) if abs(z) > 3.0 else 0

    return _fixed(series, day, DAY, rule)


def half_more(series: Series, day: int) -> tuple[list[tuple[int, bool]], int]:
    """Seed rule: 1.5 times the mean of the week before."""
    return _fixed(series, day, 7 * DAY, lambda past, now: int(now > 1.5 * past.mean()))


def drop_fifteen(series: Series, day: int) -> tuple[list[tuple[int, bool]], int]:
    """Seed rule: 15% below the mean of the week before, with at least ten requests."""
    return _fixed(series, day, 7 * DAY, lambda past, now: -int(now < 0.85 * past.mean()))


def rise_fifteen(series: Series, day: int) -> tuple[list[tuple[int, bool]], int]:
    """The drop rule's mirror: 15% above the mean of the week before."""
    return _fixed(series, day, 7 * DAY, lambda past, now: int(now > 1.15 * past.mean()))


METHODS: dict[str, Method] = {
    "ours": ours,
    "the same, mean alone": mean_alone,
    "rolling mean, 3 sd": rolling_deviation,
    "1.5x baseline": half_more,
    "15% drop, n >= 10": drop_fifteen,
    "15% rise, n >= 10": rise_fifteen,
}


def _fixed(
    series: Series, day: int, n_before: int, rule: Callable[[np.ndarray, float], int]
) -> tuple[list[tuple[int, bool]], int]:
    """Alarms of a fixed rule; hours in a row on one side are one alarm."""
    alarms, last = [], 0
    for hour in range(day * DAY - 1, (day + 1) * DAY):
        now = series.values[hour]
        past = series.values[max(0, hour - n_before) : hour]
        past = past[np.isfinite(past)]
        if not np.isfinite(now) or not len(past):
            continue
        side = rule(past, float(now))
        if side and side != last and hour >= day * DAY:
            alarms.append((hour, side > 0))
        last = side
    return alarms, _n_known(series, day)


def _n_known(series: Series, day: int) -> int:
    """Return how many hours of a day have a value."""
    return int(np.isfinite(series.values[day * DAY : (day + 1) * DAY]).sum())


@dataclass(slots=True)
class Score:
    """Counts of one method over some series."""

    n_alarms: int = 0
    n_unprovoked: int = 0
    n_hours: int = 0
    n_all_hours: int = 0
    n_noisy: int = 0
    n_holding: int = 0
    n_series: int = 0
    delays: dict[float, list[int | None]] = field(
        default_factory=lambda: {factor: [] for factor, _ in SHIFTS}
    )

    def add(self, other: "Score") -> None:
        """Add the counts of other series."""
        self.n_alarms += other.n_alarms
        self.n_unprovoked += other.n_unprovoked
        self.n_hours += other.n_hours
        self.n_all_hours += other.n_all_hours
        self.n_noisy += other.n_noisy
        self.n_holding += other.n_holding
        self.n_series += other.n_series
        for factor, delays in other.delays.items():
            self.delays[factor] += delays


def replay(series: Series, method: Method, score: Score) -> None:
    """Count alarms on the series as it is."""
    n_alarms, last = 0, dict.fromkeys((False, True), -DAY)
    for day in range(series.first_day, series.n_days):
        alarms, n_hours = method(series, day)
        score.n_hours += n_hours
        score.n_all_hours += _n_known(series, day)
        for hour, is_up in alarms:
            if hour - last[is_up] >= DAY:
                n_alarms, last[is_up] = n_alarms + 1, hour
                score.n_unprovoked += not _is_provoked(series, hour)
    n_months = (series.n_days - series.first_day) * DAY / HOURS_A_MONTH
    score.n_alarms += n_alarms
    score.n_noisy += n_alarms > max(1.0, stats.poisson.ppf(0.975, n_months))
    score.n_series += 1


def _is_provoked(series: Series, hour: int) -> bool:
    """Whether the source itself was 20% off its usual level in the six hours up to an alarm."""
    same_hours = np.arange(hour % DAY, hour // DAY * DAY, DAY)[-BASELINE_DAYS:]
    offsets = range(-5, 1)
    now = [series.truth[hour + k] for k in offsets if hour + k >= 0]
    usual = [np.nanmedian(series.truth[np.maximum(0, same_hours + k)]) for k in offsets]
    gap = np.log(np.array(now)) - np.log(np.array(usual)[-len(now) :])
    return bool(np.nanmax(np.abs(gap)) > np.log(1.2))


def plant(series: Series, method: Method, score: Score, starts: np.ndarray) -> None:
    """Plant each shift at each hour and note the hours until an alarm upwards."""
    for factor, within in SHIFTS:
        for start in starts:
            changed, delay = series.shifted(int(start), factor), None
            for day in range(start // DAY, min(series.n_days, (start + within - 1) // DAY + 1)):
                hours = [h - start + 1 for h, up in method(changed, day)[0] if up and h >= start]
                if hours and delay is None:
                    delay = int(min(hours))
            score.delays[factor].append(delay)
    shares = [len(_in_time(score.delays[f], within)) / len(starts) for f, within in SHIFTS]
    score.n_holding += min(shares) >= 0.5


def _in_time(delays: list[int | None], within: int) -> list[int]:
    """Return the delays of what was found in its time."""
    return [delay for delay in delays if delay is not None and delay <= within]


def _seen_hours(series: Series) -> np.ndarray:
    """Return the judged hours from which on most of six hours have requests."""
    hours = np.arange(series.first_day * DAY, (series.n_days - 1) * DAY)
    known = np.isfinite(series.values)
    return hours[[known[hour : hour + 6].sum() >= 4 for hour in hours]]


def print_row(name: str, score: Score) -> None:
    """Print a row of the table."""
    months = score.n_hours / HOURS_A_MONTH
    rate = score.n_alarms / months if months else float("nan")
    low = stats.chi2.ppf(0.025, 2 * score.n_alarms) / 2 if score.n_alarms else 0.0
    high = stats.chi2.ppf(0.975, 2 * score.n_alarms + 2) / 2
    bounds = f"{low / months:.1f}-{high / months:.1f}" if months else "-"
    cells = []
    for factor, within in SHIFTS:
        delays = score.delays[factor]
        hits = _in_time(delays, within)
        ends = jeffreys_interval(len(hits), len(delays)) or (0.0, 1.0)
        share = len(hits) / max(1, len(delays))
        median = f"{sorted(hits)[len(delays) // 2]} h" if 2 * len(hits) > len(delays) else "never"
        cells.append(f"{share:.2f} ({ends[0]:.2f}-{ends[1]:.2f}), {median}")
    judged = score.n_hours / max(1, score.n_all_hours)
    unprovoked = score.n_unprovoked / months if months else float("nan")
    print(
        f"| {name} | {score.n_series} | {rate:.2f} ({bounds}) | {unprovoked:.2f} | "
        f"{score.n_noisy} | {judged:.2f} | {' | '.join(cells)} | {score.n_holding} |"
    )


def bench(title: str, all_series: list[Series], n_trials: int, seed: int) -> None:
    """Print the table of one protocol: all methods, then ours by how steady the series are."""
    rng = np.random.default_rng(seed)
    starts = [rng.choice(_seen_hours(series), size=n_trials) for series in all_series]
    print(f"\n{title}: {len(all_series)} series, {n_trials} shifts of each size per series")
    print(
        "| method | series | alarms a month (95%) | unprovoked | series above | hours judged "
        "| 1.5x in 6 h (95%), median | 1.25x in 24 h (95%), median | series that hold |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    groups = {label: Score() for _, label in GROUPS}
    for name, method in METHODS.items():
        total = Score()
        for series, own in zip(all_series, starts, strict=True):
            one = Score()
            replay(series, method, one)
            plant(series, method, one, own)
            total.add(one)
            if method is ours:
                label = next(label for limit, label in GROUPS if series.scatter < limit)
                groups[label].add(one)
        print_row(name, total)
    for label, score in groups.items():
        if score.n_series:
            print_row(f"ours, {label}", score)


def say_what_is_too_short(folder: Path, n_left_out: int) -> None:
    """Say which of the data cannot be used, and why."""
    print(f"\n{n_left_out} of the series are left out: fewer than half of the hours have requests")
    for name in ("azure2023_conv", "mooncake_synthetic"):
        path = folder / f"{name}.parquet"
        if path.exists():
            hours = max(pq.read_table(path)["ts_ms"].to_pylist()) / 3.6e6
            print(f"{name}: {hours:.1f} hours, too short for any baseline; not used")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--trials", type=int, default=4)
    parser.add_argument("--quick", action="store_true", help="so few that the rates mean nothing")
    options = parser.parse_args()
    n_trials = 1 if options.quick else options.trials
    start = time.perf_counter()
    if options.data is None:
        found = list(made_up(2 if options.quick else 10, options.seed))
        bench("made up", found, n_trials, options.seed)
    else:
        every = list(recorded(options.data, options.seed))
        found = [series for series in every if is_long_enough(series)]
        found = found[:3] if options.quick else found
        bench("recorded", found, n_trials, options.seed)
        mixed = [reordered(series, options.seed) for series in found]
        bench("reordered", [s for s in mixed if s is not None], n_trials, options.seed)
        drawn = [shuffled(series, options.seed, 2 if options.quick else 7) for series in found]
        bench("shuffled", [s for s in drawn if s is not None], n_trials, options.seed)
        say_what_is_too_short(options.data, len(every) - len(found))
    print(f"\n{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
