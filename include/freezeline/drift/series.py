"""Daily and hourly series that anomaly questions judge."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from include.freezeline.drift.segments import Segment
from include.freezeline.stats.result import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class DailyLevel:
    """A day of a series.

    Attributes:
        day: UTC day.
        n_calls: Calls with a value.
        level: Level of the day over all calls.
        relative_level: Level after dividing each call by the usual value of its prompt version,
            so that a new version is no anomaly; equal to ``level`` for ratios.
        n_bad: Calls where the yes/no column is true; 0 for other kinds.
    """

    day: date
    n_calls: int
    level: float | None
    relative_level: float | None
    n_bad: int = 0


@dataclass(frozen=True, slots=True)
class DailySeries:
    """Daily levels of one question and segment, one entry per day, oldest first."""

    segment: Segment
    days: tuple[DailyLevel, ...]

    def usable(self, min_calls: int) -> BoolArray:
        """Return which days have enough calls."""
        return np.array([day.n_calls >= min_calls for day in self.days], dtype=np.bool_)

    def log_levels(self, min_calls: int) -> FloatArray:
        """Return logarithms of the relative levels, NaN where there is none."""
        levels = [
            day.relative_level if day.n_calls >= min_calls and day.relative_level else np.nan
            for day in self.days
        ]
        return np.log(np.array(levels, dtype=np.float64))

    def raw_log_levels(self, min_calls: int) -> FloatArray:
        """Return logarithms of the levels over all calls, NaN where there is none."""
        levels = [d.level if d.n_calls >= min_calls and d.level else np.nan for d in self.days]
        return np.log(np.array(levels, dtype=np.float64))

    @property
    def weekdays(self) -> IntArray:
        """Return the day of the week of each day, Monday is 0."""
        return np.array([day.day.weekday() for day in self.days], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class HourlySeries:
    """Hours of one question and segment from a midnight on, one entry per hour, oldest first.

    Attributes:
        segment: Whose.
        values: Level of the hour, or the events that a share counts; NaN where there is none.
        counts: Sample size of the hour; 0 where there is none.
        quantiles: Quantiles of the same number, each with a value per hour.
    """

    segment: Segment
    values: FloatArray
    counts: FloatArray
    quantiles: tuple[FloatArray, ...] = ()

    def usable(self, min_calls: int) -> BoolArray:
        """Return which hours have enough calls."""
        return np.asarray((self.counts >= min_calls) & np.isfinite(self.values), dtype=np.bool_)
