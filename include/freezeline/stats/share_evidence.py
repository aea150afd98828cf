"""Log likelihood ratios of hourly counts: has the share of an event risen?"""

import math

import numpy as np

from include.freezeline.stats.daily_shares import share_baseline
from include.freezeline.stats.proportions import (
    ordinary_days,
    overdispersion,
    predictive_p_value,
    risen_share,
)
from include.freezeline.stats.result import FloatArray, IntArray
from include.freezeline.stats.seasons import HOURS_A_DAY
from include.freezeline.stats.series import day_p_values, robust_baseline
from include.freezeline.stats.weekdays import DAYS_A_WEEK

# Events that an hour of the day must be ahead by before its factor moves far from 1.
_PRIOR_EVENTS = 10.0
MAX_SHARE = 0.999


class ShareEvidence:
    """Evidence of a series of counts, given the share and hour-of-day factors of its past.

    The likelihood ratio is the binomial's of a risen share over the usual one, divided by how
    many times more the counts vary than a binomial (quasi-likelihood, McCullagh & Nelder 1989).
    """

    def __init__(
        self,
        n_bad: FloatArray,
        counts: FloatArray,
        factors: FloatArray,
        judged_from: int,
        min_change_ratio: float,
        min_difference: float,
    ) -> None:
        """Prepare the evidence.

        Args:
            n_bad: Events that count, per hour.
            counts: All events per hour.
            factors: Factor on the share of each hour.
            judged_from: The scatter is taken from the hours before.
            min_change_ratio: Relative rise that matters.
            min_difference: Absolute rise that matters; the larger of both counts.
        """
        self._bad, self._counts = n_bad.tolist(), counts.tolist()
        self._factors = factors.tolist()
        self._bad_sums = np.concatenate([[0.0], np.cumsum(n_bad)])
        self._expected_sums = np.concatenate([[0.0], np.cumsum(counts * factors)])
        self._known_sums = np.concatenate([[0], np.cumsum(counts > 0)])
        self._ratio, self._difference = min_change_ratio, min_difference
        self._dispersion = _dispersion(n_bad[:judged_from], (counts * factors)[:judged_from])

    def is_known(self, hour: int) -> bool:
        """Whether the hour has events."""
        return bool(self._counts[hour] > 0)

    def n_known(self, start: int, end: int) -> int:
        """Return how many of the hours have events."""
        return int(self._known_sums[end] - self._known_sums[start])

    def level(self, start: int, end: int) -> float | None:
        """Return the share of the hours (Jeffreys), None without events."""
        expected = float(self._expected_sums[end] - self._expected_sums[start])
        if expected <= 0.0:
            return None
        bad = float(self._bad_sums[end] - self._bad_sums[start])
        return min(MAX_SHARE, (bad + 0.5) / (expected + 1.0))

    def residual(self, hour: int, level: float) -> float:
        """Return how far the hour's share is above the level."""
        return float(self._bad[hour] / self._counts[hour] - level * self._factors[hour])

    def nats(self, hour: int, level: float) -> tuple[float, ...]:
        """Return the evidence of the hour for a risen share."""
        usual = min(MAX_SHARE, level * self._factors[hour])
        raised = min(MAX_SHARE, risen_share(usual, self._ratio, self._difference))
        if raised <= usual:
            return (0.0,)
        bad, good = self._bad[hour], self._counts[hour] - self._bad[hour]
        gain = bad * math.log(raised / usual) + good * math.log((1.0 - raised) / (1.0 - usual))
        return (gain / self._dispersion,)


def season_factors(
    n_bad: FloatArray, counts: FloatArray, judged_from: int, first_weekday: int
) -> tuple[FloatArray, str]:
    """Return how many times the usual share each hour has, and the season that says so.

    Args:
        n_bad: Events that count, per hour from a midnight on.
        counts: All events per hour.
        judged_from: The season is that of the hours before; whole days.
        first_weekday: Day of the week of the first hour, Monday is 0.

    Returns:
        A factor around 1 for every hour, and ``none``, ``daily`` or ``weekly``.
    """
    hours = np.arange(len(counts))
    by_hour = _hour_factors(n_bad[:judged_from], counts[:judged_from])
    factors = by_hour[hours % HOURS_A_DAY]
    weekdays = (first_weekday + hours // HOURS_A_DAY) % DAYS_A_WEEK
    by_day = _day_factors(
        n_bad[:judged_from].reshape(-1, HOURS_A_DAY).sum(axis=1),
        (counts * factors)[:judged_from].reshape(-1, HOURS_A_DAY).sum(axis=1),
        weekdays[:judged_from:HOURS_A_DAY],
    )
    factors = factors * by_day[weekdays]
    if np.ptp(by_day) > 0.0:
        return factors, "weekly"
    return factors, "daily" if np.ptp(by_hour) > 0.0 else "none"


def _hour_factors(n_bad: FloatArray, counts: FloatArray) -> FloatArray:
    """Return how many times the usual share each hour of the day has, 24 values around 1.

    A gamma prior of ten events keeps hours of few events near 1 (Gelman et al. 2013).
    """
    bad = n_bad.reshape(-1, HOURS_A_DAY).sum(axis=0)
    size = counts.reshape(-1, HOURS_A_DAY).sum(axis=0)
    if bad.sum() == 0.0 or size.sum() == 0.0:
        return np.ones(HOURS_A_DAY)
    expected = size * bad.sum() / size.sum()
    return np.asarray((bad + _PRIOR_EVENTS) / (expected + _PRIOR_EVENTS), dtype=np.float64)


def _day_factors(n_bad: FloatArray, expected: FloatArray, weekdays: IntArray) -> FloatArray:
    """Return how many times the usual share each day of the week has, Monday first.

    All are 1 where days of the week foretell no better than all days. One day at the usual share is
    added to each, as few days say what a day of the week has.
    """
    whole = np.maximum(np.round(expected), n_bad).astype(np.int64)
    baseline = share_baseline(n_bad.astype(np.int64), whole, weekdays)
    if baseline.season == "none" or baseline.n_bad.sum() == 0:
        return np.ones(DAYS_A_WEEK)
    usual = float(np.nanmean(baseline.ratios))
    day = baseline.n_calls / baseline.n_days
    return np.asarray((baseline.n_bad + usual * day) / (usual * (baseline.n_all + day)))


def newest_day_p_value(
    n_bad: FloatArray, counts: FloatArray, factors: FloatArray, judged_from: int
) -> float:
    """Return the p-value of the share of the newest day among the days before the judged ones.

    Days vary more than their hours say, and hours alone would call many an ordinary day impossible.
    Null hypothesis: the day has the share of those days, as variable as theirs; 1 without events.

    Args:
        n_bad: Events that count, per hour from a midnight on.
        counts: All events per hour.
        factors: Factor on the share of each hour.
        judged_from: First judged hour; whole days.
    """
    bad, expected = (
        part.reshape(-1, HOURS_A_DAY).sum(axis=1) for part in (n_bad, counts * factors)
    )
    whole = np.maximum(np.round(expected), bad).astype(np.int64)
    bad = bad.astype(np.int64)
    past_bad, past_all = (part[: judged_from // HOURS_A_DAY] for part in (bad, whole))
    keep = ordinary_days(past_bad, past_all)
    if whole[-1] == 0 or not keep.any():
        return 1.0
    past_bad, past_all = past_bad[keep], past_all[keep]
    dispersion = overdispersion(past_bad, past_all)
    of_counts = predictive_p_value(
        int(bad[-1]), int(whole[-1]), int(past_bad.sum()), int(past_all.sum()), dispersion
    )
    return max(of_counts, _t_p_value(past_bad, past_all, int(bad[-1]), int(whole[-1])))


def _t_p_value(past_bad: IntArray, past_all: IntArray, n_bad: int, n_all: int) -> float:
    """Return the p-value of a day's share among some days by a robust t test.

    On Anscombe's scale (1948), where the noise of counts depends on their size alone. The
    beta-binomial takes the days' dispersion as known, and days have heavier tails than it.
    """
    angles = np.arcsin(
        np.sqrt((np.append(past_bad, n_bad) + 0.375) / (np.append(past_all, n_all) + 0.75))
    )
    weekdays = np.zeros(len(angles), dtype=np.int64)
    noise = 0.5 / math.sqrt(float(np.median(past_all)) + 0.5)
    baseline = robust_baseline(angles[:-1], weekdays[:-1], min_scale=noise)
    if baseline is None:
        return 1.0
    return float(day_p_values(angles[-1:], weekdays[-1:], baseline)[0][0])


def _dispersion(n_bad: FloatArray, expected_size: FloatArray) -> float:
    """Return how many times more the hours vary than a binomial, robustly; at least 1.

    The mean of the Pearson residuals' squares without the largest twentieth, so that one incident
    does not hide the next.
    """
    known = expected_size > 0.0
    bad, size = n_bad[known], expected_size[known]
    if len(bad) < 2 or bad.sum() == 0.0:
        return 1.0
    share = min(MAX_SHARE, float(bad.sum() / size.sum()))
    squares = np.sort((bad - size * share) ** 2 / (size * share * (1.0 - share)))
    return max(1.0, float(squares[: math.ceil(0.95 * len(squares))].mean()))
