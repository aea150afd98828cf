"""Hourly series of tokens per request: made up, of real clients, or shuffled days of these."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

DAY = 24
BASELINE_DAYS = 28
WARM_DAYS = 7
MIN_CALLS = 20
QUANTILES = (0.25, 0.5, 0.75, 0.9)
# Mean over more requests than this is the quantile function's own mean.
_MAX_DRAWN = 2000
_MIN_REORDERED_DAYS = 12


@dataclass(frozen=True, slots=True)
class Series:
    """Hours of one client from a midnight on.

    Attributes:
        name: Group, client and which tokens.
        values: Mean tokens per request; NaN where too few.
        counts: Requests.
        truth: Mean of the source's distribution; NaN where unknown.
        first_day: First judged day.
        quantiles: Quantiles of the tokens of the hour, a row each.
    """

    name: str
    values: np.ndarray
    counts: np.ndarray
    truth: np.ndarray
    first_day: int
    quantiles: np.ndarray

    @property
    def n_days(self) -> int:
        """Whole days."""
        return len(self.values) // DAY

    def shifted(self, start: int, factor: float) -> "Series":
        """Return the series with a shift of every request that stays."""
        factors = np.where(np.arange(len(self.values)) >= start, factor, 1.0)
        return replace(self, values=self.values * factors, quantiles=self.quantiles * factors)

    @property
    def scatter(self) -> float:
        """Least robust standard deviation of six-hour levels around the usual one (log)."""
        return min(scatter(row) for row in (self.values, *self.quantiles))


def scatter(values: np.ndarray) -> float:
    """Return the robust standard deviation of six-hour levels around the usual one (log)."""
    logs = np.log(np.where(values > 0.0, values, np.nan)).reshape(-1, DAY)
    left = (logs - median(logs, 0)).reshape(-1, 6)
    return 1.4826 * float(np.nanmedian(np.abs(median(left, 1))))


def median(values: np.ndarray, axis: int) -> np.ndarray:
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
        noise = rng.normal(0.0, 1.0, len(hours)) / np.sqrt(counts + 1)
        values = np.abs(level * (1.0 + 0.8 * noise))
        # What is left of the wandering in the quarters and the tenth: half of it, or twice.
        shares = np.array([0.3, 0.5, 1.0, 2.0])[:, None]
        rows = 600.0 * np.exp(season + shares * (blocks + 0.8 * noise))
        yield Series(f"made up {number}", values, counts, level, BASELINE_DAYS, rows)


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
    rows_of = np.full((len(QUANTILES), len(counts)), np.nan)
    grid = np.arange(101) / 100.0
    columns = ("window_start_s", f"{tokens}_q101")
    for start, quantiles in rows[list(columns)].itertuples(index=False):  # type: ignore[index]
        q = np.asarray(quantiles, dtype=np.float64)
        for hour in range(int(start) // 3600, min(int(start) // 3600 + 6, len(counts))):
            truth[hour] = float(((q[1:] + q[:-1]) / 2.0).mean())
            if counts[hour] >= MIN_CALLS:
                n_drawn = int(min(counts[hour], _MAX_DRAWN))
                drawn = np.interp(rng.random(n_drawn), grid, q)
                values[hour], rows_of[:, hour] = float(drawn.mean()), np.quantile(drawn, QUANTILES)
    values[values <= 0.0] = np.nan
    counts = np.where(np.isfinite(values), counts, 0.0)
    return Series(name, values, counts, truth, WARM_DAYS, rows_of)


def is_long_enough(series: Series) -> bool:
    """Whether half of the hours before and of the judged ones are known."""
    split = series.first_day * DAY
    known = np.isfinite(series.values)
    enough = known[:split].sum() >= split / 2 and known[split:].sum() >= len(known[split:]) / 2
    return bool(enough) and len(known) > split


def reordered(series: Series, seed: int) -> Series | None:
    """Return a client's own days in random order, each once; None when it has fewer than twelve."""
    days = _full_days(series)
    if len(days) < _MIN_REORDERED_DAYS:
        return None
    picked = _rng_of(series, seed, 9).permutation(days)
    return _of_days(series, picked, WARM_DAYS)


def shuffled(series: Series, seed: int, n_judged: int) -> Series | None:
    """Return five weeks of days drawn from a client's own days; None when it has too few."""
    days = _full_days(series)
    if len(days) < WARM_DAYS:
        return None
    return _of_days(
        series, _rng_of(series, seed).choice(days, BASELINE_DAYS + n_judged), BASELINE_DAYS
    )


def _full_days(series: Series) -> np.ndarray:
    """Return the days of which half of the hours are known."""
    n_known = np.isfinite(series.values).reshape(-1, DAY).sum(axis=1)
    return np.asarray(np.flatnonzero(n_known >= DAY / 2))


def _rng_of(series: Series, seed: int, *more: int) -> np.random.Generator:
    """Return the generator of a series."""
    own = int(np.frombuffer(series.name.encode()[-8:].rjust(8), dtype=np.uint32).sum())
    return np.random.default_rng([seed, own, *more])


def _of_days(series: Series, days: np.ndarray, first_day: int) -> Series:
    """Return the series with these days, judged from one of them on."""
    hours = (days[:, None] * DAY + np.arange(DAY)).ravel()
    own = (array[hours] for array in (series.values, series.counts, series.truth))
    return Series(series.name, *own, first_day, series.quantiles[:, hours])
