"""Log likelihood ratios of hourly counts: has the share of an event risen?"""

import math

import numpy as np

from include.freezeline.stats.result import FloatArray
from include.freezeline.stats.seasons import HOURS_A_DAY

# Events that an hour of the day must be ahead by before its factor moves far from 1.
_PRIOR_EVENTS = 10.0
_MAX_SHARE = 0.999


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
            factors: Factor on the share by hour of the day, 24.
            judged_from: The scatter is taken from the hours before.
            min_change_ratio: Relative rise that matters.
            min_difference: Absolute rise that matters; the larger of both counts.
        """
        hours = np.arange(len(counts)) % HOURS_A_DAY
        self._bad, self._counts = n_bad.tolist(), counts.tolist()
        self._factors = factors[hours].tolist()
        self._bad_sums = np.concatenate([[0.0], np.cumsum(n_bad)])
        self._expected_sums = np.concatenate([[0.0], np.cumsum(counts * factors[hours])])
        self._known_sums = np.concatenate([[0], np.cumsum(counts > 0)])
        self._ratio, self._difference = 1.0 + min_change_ratio, min_difference
        self._dispersion = _dispersion(n_bad[:judged_from], (counts * factors[hours])[:judged_from])

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
        return min(_MAX_SHARE, (bad + 0.5) / (expected + 1.0))

    def residual(self, hour: int, level: float) -> float:
        """Return how far the hour's share is above the level."""
        return float(self._bad[hour] / self._counts[hour] - level * self._factors[hour])

    def nats(self, hour: int, level: float) -> tuple[float, ...]:
        """Return the evidence of the hour for a risen share."""
        usual = min(_MAX_SHARE, level * self._factors[hour])
        raised = min(_MAX_SHARE, max(usual * self._ratio, usual + self._difference))
        if raised <= usual:
            return (0.0,)
        bad, good = self._bad[hour], self._counts[hour] - self._bad[hour]
        gain = bad * math.log(raised / usual) + good * math.log((1.0 - raised) / (1.0 - usual))
        return (gain / self._dispersion,)


def hour_factors(n_bad: FloatArray, counts: FloatArray) -> FloatArray:
    """Return how many times the usual share each hour of the day has, 24 values around 1.

    A gamma prior of ten events keeps hours of few events near 1 (Gelman et al. 2013).
    """
    whole = len(counts) // HOURS_A_DAY * HOURS_A_DAY
    bad = n_bad[:whole].reshape(-1, HOURS_A_DAY).sum(axis=0)
    size = counts[:whole].reshape(-1, HOURS_A_DAY).sum(axis=0)
    if bad.sum() == 0.0 or size.sum() == 0.0:
        return np.ones(HOURS_A_DAY)
    expected = size * bad.sum() / size.sum()
    return np.asarray((bad + _PRIOR_EVENTS) / (expected + _PRIOR_EVENTS), dtype=np.float64)


def _dispersion(n_bad: FloatArray, expected_size: FloatArray) -> float:
    """Return how many times more the hours vary than a binomial, robustly; at least 1.

    The mean of the Pearson residuals' squares without the largest twentieth, so that one incident
    does not hide the next.
    """
    known = expected_size > 0.0
    bad, size = n_bad[known], expected_size[known]
    if len(bad) < 2 or bad.sum() == 0.0:
        return 1.0
    share = min(_MAX_SHARE, float(bad.sum() / size.sum()))
    squares = np.sort((bad - size * share) ** 2 / (size * share * (1.0 - share)))
    return max(1.0, float(squares[: math.ceil(0.95 * len(squares))].mean()))
