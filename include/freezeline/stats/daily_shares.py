"""What share of a day's events usually counts, by day of the week, and whether it has risen."""

from dataclasses import dataclass

import numpy as np
from scipy.special import xlogy

from include.freezeline.stats.proportions import ordinary_days, overdispersion, predictive_p_value
from include.freezeline.stats.result import FloatArray, IntArray
from include.freezeline.stats.share_interval import log_odds_variance
from include.freezeline.stats.weekdays import DAYS_A_WEEK, best_season

# Root deviances below 3 are chance; a day of the week above the others at 5% may have a season.
_LEAST_GAP = 3.0
_ODD_LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class ShareBaseline:
    """Events of ordinary days, by day of the week, Monday first.

    Attributes:
        n_bad: Events that count, of the days that are like this one; 7.
        n_all: All events of those days; 0 where no day before says what is usual.
        n_own_bad: The same of the same day of the week only.
        n_own_all: The same, where too few weeks are known to call it a season and the day had
            more than the others; else 0.
        season: Which days are alike, see ``stats/weekdays.py``.
        dispersion: How many times the days vary more than a binomial; at least 1.
        variance: How much the log odds of the days vary beyond a binomial; at least 0.
        n_days: Ordinary days.
        n_calls: All events of them.
    """

    n_bad: IntArray
    n_all: IntArray
    n_own_bad: IntArray
    n_own_all: IntArray
    season: str
    dispersion: float
    variance: float
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
    known = n_all > 0
    n_bad, n_all, weekdays = n_bad[known], n_all[known], weekdays[known]
    season = best_season(lambda g: _left_out_gaps(n_bad, n_all, g), weekdays, _LEAST_GAP)
    keep = ordinary_days(n_bad, n_all, season.of(weekdays))
    n_bad, n_all, weekdays = n_bad[keep], n_all[keep], weekdays[keep]
    of_like = [season.like(weekdays, day) for day in range(DAYS_A_WEEK)]
    of_own = [weekdays == day for day in range(DAYS_A_WEEK)]
    own_bad, own_all = (_sums(counts, of_own) for counts in (n_bad, n_all))
    like_bad, like_all = (_sums(counts, of_like) for counts in (n_bad, n_all))
    # A day of the week that was never seen is not judged: it may always have been otherwise.
    like_all = np.where(own_all > 0, like_all, 0)
    dispersion = overdispersion(n_bad, n_all, season.of(weekdays))
    is_odd = [
        like > 0 and predictive_p_value(bad, own, b, like, dispersion) < _ODD_LEVEL
        for bad, own, b, like in zip(own_bad, own_all, like_bad, like_all, strict=True)
    ]
    own_all = np.where(np.array(is_odd) & season.is_own_day_asked, own_all, 0)
    return ShareBaseline(
        n_bad=like_bad,
        n_all=like_all,
        n_own_bad=own_bad,
        n_own_all=own_all,
        season=season.name,
        dispersion=dispersion,
        variance=log_odds_variance(n_bad, n_all, season.of(weekdays)),
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


def _left_out_gaps(n_bad: IntArray, n_all: IntArray, groups: IntArray) -> FloatArray:
    """Return each day's signed root deviance from the share of the other days of its group.

    Of ordinary days, so that an incident says nothing of its neighbours (McCullagh & Nelder 1989).
    NaN for a day that is alone in its group.
    """
    keep = ordinary_days(n_bad, n_all, groups)
    usual = (n_bad.sum() + 0.5) / (n_all.sum() + 1.0)
    gaps = np.full(len(n_all), np.nan)
    for group in np.unique(groups):
        own = groups == group
        if own.sum() < 2:
            continue
        bad = n_bad[own & keep].sum() - np.where(keep[own], n_bad[own], 0)
        size = n_all[own & keep].sum() - np.where(keep[own], n_all[own], 0)
        expected = n_all[own] * (bad + usual) / (size + 1.0)
        gaps[own] = _root_deviance(n_bad[own], n_all[own], expected)
    return gaps


def _root_deviance(n_bad: IntArray, n_all: IntArray, expected: FloatArray) -> FloatArray:
    """Return the signed root of the binomial deviance of each day."""
    good, rest = n_all - n_bad, n_all - expected
    deviance = 2.0 * (xlogy(n_bad, n_bad / expected) + xlogy(good, good / np.maximum(rest, 1e-12)))
    return np.asarray(np.sign(n_bad - expected) * np.sqrt(np.maximum(deviance, 0.0)))


def _sums(counts: IntArray, members: list[np.ndarray]) -> IntArray:
    """Return the counts of each group of days."""
    return np.array([int(counts[own].sum()) for own in members], dtype=np.int64)
