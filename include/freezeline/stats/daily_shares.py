"""What share of a day's events usually counts, by day of the week, and whether it has risen."""

from dataclasses import dataclass

import numpy as np

from include.freezeline.stats.proportions import ordinary_days, overdispersion, predictive_p_value
from include.freezeline.stats.result import FloatArray, IntArray
from include.freezeline.stats.weekdays import DAYS_A_WEEK, sqrt_angles, week_season


@dataclass(frozen=True, slots=True)
class ShareBaseline:
    """Events of ordinary days, by day of the week, Monday first.

    Attributes:
        n_bad: Events that count, of the days that are like this one; 7.
        n_all: All events of those days; 0 where no day before says what is usual.
        n_own_bad: The same of the same day of the week only.
        n_own_all: The same; 0 where that is not asked.
        season: Which days are alike, see ``stats/weekdays.py``.
        dispersion: How many times the days vary more than a binomial; at least 1.
        n_days: Ordinary days.
        n_calls: All events of them.
    """

    n_bad: IntArray
    n_all: IntArray
    n_own_bad: IntArray
    n_own_all: IntArray
    season: str
    dispersion: float
    n_days: int
    n_calls: int

    @property
    def ratios(self) -> FloatArray:
        """The usual share of each day of the week; NaN where nothing is usual."""
        return self.n_bad / np.where(self.n_all > 0, self.n_all, np.nan)


def share_baseline(n_bad: IntArray, n_all: IntArray, weekdays: IntArray) -> ShareBaseline:
    """Return what is usual, without the days of an incident.

    Args:
        n_bad: Events that count, per day.
        n_all: All events per day; days without any are left out.
        weekdays: Day of the week of each, Monday is 0.
    """
    season = week_season(sqrt_angles(n_bad, n_all), weekdays)
    keep = ordinary_days(n_bad, n_all, season.of(weekdays))
    n_bad, n_all, weekdays = n_bad[keep], n_all[keep], weekdays[keep]
    of_like = [season.like(weekdays, day) for day in range(DAYS_A_WEEK)]
    of_own = [weekdays == day for day in range(DAYS_A_WEEK)]
    own_bad, own_all = (_sums(counts, of_own) for counts in (n_bad, n_all))
    like_bad, like_all = (_sums(counts, of_like) for counts in (n_bad, n_all))
    if season.is_own_day_asked:
        like_all = np.where(own_all > 0, like_all, 0)
    else:
        own_all = np.zeros(DAYS_A_WEEK, dtype=np.int64)
    dispersion = overdispersion(n_bad, n_all, season.of(weekdays))
    return ShareBaseline(
        n_bad=like_bad,
        n_all=like_all,
        n_own_bad=own_bad,
        n_own_all=own_all,
        season=season.name,
        dispersion=dispersion,
        n_days=len(n_all),
        n_calls=int(n_all.sum()),
    )


def share_p_values(
    n_bad: IntArray, n_all: IntArray, weekdays: IntArray, baseline: ShareBaseline
) -> FloatArray:
    """Return each day's one-sided predictive p-value of a risen share; NaN where nothing is usual.

    Null hypothesis: the day has the share of the days like it. Where days of the week could not be
    told apart, that of its own day of the week or of all days, whichever is nearer.
    """
    p_values = np.full(len(n_all), np.nan)
    for place, (bad, size, day) in enumerate(zip(n_bad, n_all, weekdays, strict=True)):
        if baseline.n_all[day] == 0:
            continue
        known = [(baseline.n_bad[day], baseline.n_all[day])]
        if baseline.n_own_all[day] > 0:
            known.append((baseline.n_own_bad[day], baseline.n_own_all[day]))
        p_values[place] = max(
            predictive_p_value(int(bad), int(size), int(b), int(n), baseline.dispersion)
            for b, n in known
        )
    return p_values


def _sums(counts: IntArray, members: list[np.ndarray]) -> IntArray:
    """Return the counts of each group of days."""
    return np.array([int(counts[own].sum()) for own in members], dtype=np.int64)
