"""False alarms and delay of the hourly detector beside the fixed rules people use.

Run ``python -m tests.bench.bench_series`` for made-up series, or with ``--data FOLDER`` for tokens
per request of real clients (servegen_*.parquet: rates per 10 minutes and a quantile function per
6 hours; the requests of an hour are drawn from it). Each series is replayed night by night, as the
judge does, hour by hour inside the night. Two protocols:

- ``recorded``: the hours as they were. Real changes of a client are in there and count as false
  alarms; ``unprovoked`` are those where the level of the source itself, without sampling noise,
  was within 20% of its usual level at these hours.
- ``shuffled``: 35 days drawn from the client's own days. Season, tails and hours that hang together
  stay, lasting changes do not: here every alarm is false.

Shifts of 1.5x and 1.25x are planted at random hours and stay. A shift counts as found when an alarm
upwards is raised inside its time; chance alarms count too, for every method.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from scipy import stats

from include.freezeline.stats.hourly import HourlyPlan, scan_levels
from include.freezeline.stats.proportions import jeffreys_interval

DAY = 24
HOURS_A_MONTH = 720
BASELINE_DAYS = 28
WARM_DAYS = 7
MIN_CALLS = 20
# Mean over more requests than this is the quantile function's own mean.
MAX_DRAWN = 2000
SHIFTS = ((1.5, 6), (1.25, 24))
PLAN = HourlyPlan(min_change_ratio=0.2, is_two_sided=True)
# Scatter (log) of the six-hour levels around their usual level at this time of day.
GROUPS = ((0.05, "steady, < 0.05"), (0.1, "0.05-0.1"), (0.2, "0.1-0.2"), (np.inf, "wild, > 0.2"))


@dataclass(frozen=True, slots=True)
class Series:
    """Hours of one client from a midnight on.

    Attributes:
        name: Group, client and which tokens.
        values: Mean tokens per request; NaN where too few.
        counts: Requests.
        truth: Mean of the source's distribution; NaN where unknown.
        first_day: First judged day.
    """

    name: str
    values: np.ndarray
    counts: np.ndarray
    truth: np.ndarray
    first_day: int

    @property
    def n_days(self) -> int:
        """Whole days."""
        return len(self.values) // DAY

    def shifted(self, start: int, factor: float) -> "Series":
        """Return the series with a shift that stays."""
        values = self.values.copy()
        values[start:] *= factor
        return Series(self.name, values, self.counts, self.truth, self.first_day)

    @property
    def scatter(self) -> float:
        """Robust standard deviation of six-hour levels around the usual one (log)."""
        logs = np.log(self.values).reshape(-1, DAY)
        left = (logs - _median(logs, 0)).reshape(-1, 6)
        return 1.4826 * float(np.nanmedian(np.abs(_median(left, 1))))


Method = Callable[[Series, int], tuple[list[tuple[int, bool]], int]]
"""Alarms (hour, upwards) of a day, and how many of its hours were judged."""


def ours(series: Series, day: int) -> tuple[list[tuple[int, bool]], int]:
    """The night's scan of one day, on at most four weeks before it."""
    first = max(0, day - BASELINE_DAYS)
    span = slice(first * DAY, (day + 1) * DAY)
    split = (day - first) * DAY
    scan = scan_levels(series.values[span], series.counts[span], split, PLAN)
    if scan.reason is not None:
        return [], 0
    alarms = [(first * DAY + alarm.hour, alarm.sum_index < 2) for alarm in scan.alarms]
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
    "seasonal CUSUM": ours,
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


def _median(values: np.ndarray, axis: int) -> np.ndarray:
    """Return medians of what is known, NaN where nothing is."""
    masked = np.ma.masked_invalid(values)
    return np.asarray(np.ma.median(masked, axis=axis).filled(np.nan))


def made_up(n_series: int, seed: int) -> Iterator[Series]:
    """Yield five weeks with daily and weekly season and ever more noise that hangs together."""
    for number in range(n_series):
        rng = np.random.default_rng([seed, number])
        hours = np.arange(35 * DAY)
        season = 0.3 * np.sin(2 * np.pi * hours / DAY) - 0.2 * (hours // DAY % 7 >= 5)
        scale = 0.02 * 2.0 ** (number % 5)
        blocks = np.repeat(rng.standard_t(4, len(hours) // 6), 6) * scale
        level = 600.0 * np.exp(season + blocks)
        counts = rng.poisson(200.0, len(hours)).astype(np.float64)
        values = level * (1.0 + 0.8 * rng.normal(0.0, 1.0, len(hours)) / np.sqrt(counts + 1))
        yield Series(f"made up {number}", np.abs(values), counts, level, BASELINE_DAYS)


def recorded(folder: Path, seed: int) -> Iterator[Series]:
    """Yield the clients' input and output tokens, hour by hour, where there is enough of them."""
    rates = pq.read_table(folder / "servegen_rates.parquet").to_pandas()
    windows = pq.read_table(folder / "servegen_token_windows.parquet").to_pandas()
    n_hours = int(windows["window_start_s"].max()) // 3600 + 6
    n_hours -= n_hours % DAY
    rates["hour"] = rates["ts_s"] // 3600
    rates["n"] = rates["req_per_s"] * 600.0
    requests = rates.groupby(["group", "client", "hour"])["n"].sum().round()
    for (group, client), rows in windows.groupby(["group", "client"]):
        if (group, client) not in requests.index.droplevel("hour"):
            continue
        counts = np.zeros(n_hours)
        own = requests.loc[group, client]
        own = own[own.index < n_hours]
        counts[own.index.to_numpy()] = own.to_numpy()
        for tokens in ("input", "output"):
            rng = np.random.default_rng([seed, len(str(group)), int(client), tokens == "input"])
            yield _sampled(f"{group} {client} {tokens}", rows, tokens, counts, rng)


def _sampled(
    name: str, rows: "object", tokens: str, counts: np.ndarray, rng: np.random.Generator
) -> Series:
    """Draw the requests of every hour from its window's quantile function."""
    values, truth = np.full(len(counts), np.nan), np.full(len(counts), np.nan)
    grid = np.arange(101) / 100.0
    columns = ("window_start_s", f"{tokens}_q101")
    for start, quantiles in rows[list(columns)].itertuples(index=False):  # type: ignore[index]
        q = np.asarray(quantiles, dtype=np.float64)
        for hour in range(int(start) // 3600, min(int(start) // 3600 + 6, len(counts))):
            truth[hour] = float(((q[1:] + q[:-1]) / 2.0).mean())
            if counts[hour] >= MIN_CALLS:
                n_drawn = int(min(counts[hour], MAX_DRAWN))
                values[hour] = float(np.interp(rng.random(n_drawn), grid, q).mean())
    values[values <= 0.0] = np.nan
    return Series(name, values, np.where(np.isfinite(values), counts, 0.0), truth, WARM_DAYS)


def is_long_enough(series: Series) -> bool:
    """Whether half of the hours before and of the judged ones are known."""
    split = series.first_day * DAY
    known = np.isfinite(series.values)
    enough = known[:split].sum() >= split / 2 and known[split:].sum() >= len(known[split:]) / 2
    return bool(enough) and len(known) > split


def shuffled(series: Series, seed: int, n_judged: int) -> Series | None:
    """Return five weeks of days drawn from a client's own days; None when it has too few."""
    days = np.flatnonzero(np.isfinite(series.values).reshape(-1, DAY).sum(axis=1) >= DAY / 2)
    if len(days) < WARM_DAYS:
        return None
    name_seed = int(np.frombuffer(series.name.encode()[-8:].rjust(8), dtype=np.uint32).sum())
    picked = np.random.default_rng([seed, name_seed]).choice(days, BASELINE_DAYS + n_judged)
    hours = (picked[:, None] * DAY + np.arange(DAY)).ravel()
    own = (array[hours] for array in (series.values, series.counts, series.truth))
    return Series(series.name, *own, BASELINE_DAYS)


@dataclass(slots=True)
class Score:
    """Counts of one method over some series."""

    n_alarms: int = 0
    n_unprovoked: int = 0
    n_hours: int = 0
    n_all_hours: int = 0
    n_noisy: int = 0
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
        self.n_series += other.n_series
        for factor, delays in other.delays.items():
            self.delays[factor] += delays


def replay(series: Series, method: Method, score: Score) -> None:
    """Count alarms on the series as it is."""
    n_alarms = 0
    for day in range(series.first_day, series.n_days):
        alarms, n_hours = method(series, day)
        score.n_hours += n_hours
        score.n_all_hours += _n_known(series, day)
        n_alarms += len(alarms)
        score.n_unprovoked += sum(not _is_provoked(series, hour) for hour, _ in alarms)
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
        hits = [delay for delay in delays if delay is not None and delay <= within]
        ends = jeffreys_interval(len(hits), len(delays)) or (0.0, 1.0)
        share = len(hits) / max(1, len(delays))
        median = f"{np.median(hits):.0f} h" if hits else "-"
        cells.append(f"{share:.2f} ({ends[0]:.2f}-{ends[1]:.2f}), {median}")
    judged = score.n_hours / max(1, score.n_all_hours)
    unprovoked = score.n_unprovoked / months if months else float("nan")
    print(
        f"| {name} | {score.n_series} | {rate:.2f} ({bounds}) | {unprovoked:.2f} | "
        f"{score.n_noisy} | {judged:.2f} | {' | '.join(cells)} |"
    )


def bench(title: str, all_series: list[Series], n_trials: int, seed: int) -> None:
    """Print the table of one protocol: all methods, then ours by how steady the series are."""
    rng = np.random.default_rng(seed)
    starts = [
        rng.integers(s.first_day * DAY, (s.n_days - 1) * DAY, size=n_trials) for s in all_series
    ]
    print(f"\n{title}: {len(all_series)} series, {n_trials} shifts of each size per series")
    print(
        "| method | series | alarms a month (95%) | unprovoked | series above | hours judged "
        "| 1.5x in 6 h (95%), median | 1.25x in 24 h (95%), median |"
    )
    print("|---|---|---|---|---|---|---|---|")
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
            print_row(f"seasonal CUSUM, {label}", score)


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
        drawn = [shuffled(series, options.seed, 2 if options.quick else 7) for series in found]
        bench("shuffled", [s for s in drawn if s is not None], n_trials, options.seed)
        say_what_is_too_short(options.data, len(every) - len(found))
    print(f"\n{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
