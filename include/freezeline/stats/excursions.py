"""How often the sum of evidence of a quiet series climbs how high.

A CUSUM of a quiet series rises and falls back to zero. Those excursions are nearly independent of
each other however the hours inside one hang together, so their heights calibrate the threshold of
a sequential test against heavy tails and autocorrelation. Above a high value the heights fall off
exponentially (Siegmund 1985, *Sequential Analysis*); we fit that tail (peaks over threshold,
Davison & Smith 1990) and use its posterior predictive distribution, a Lomax, so that few heights
mean a wider tail. Evidence is in nats of a likelihood ratio: a well-specified one exceeds h at a
rate of at most exp(-h) (Lorden 1971), which is the floor of every rate.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# The tail is fitted to the largest tenth of the heights, to five at least.
_MIN_EXCEEDANCES = 5
_TAIL_SHARE = 0.1
# Weight of the prior, in excursions of the mean height 1 nat that theory gives.
_PRIOR_EXCURSIONS = 2.0


@dataclass(frozen=True, slots=True)
class ExcursionTail:
    """Tail of the heights of excursions.

    Attributes:
        start: Height from which on the tail is fitted, in nats.
        rate_per_hour: Excursions per hour that are higher than ``start``.
        shape: Shape of the Lomax distribution of what is above ``start``.
        scale: Its scale, in nats.
    """

    start: float
    rate_per_hour: float
    shape: float
    scale: float

    def rate_above(self, height: float) -> float:
        """Return how many excursions per hour are expected to be higher; in (0, 1]."""
        above = max(0.0, height - self.start)
        fitted = self.rate_per_hour * (self.scale / (self.scale + above)) ** self.shape
        return float(min(1.0, max(fitted, math.exp(-max(0.0, height)))))

    def height_of(self, rate_per_hour: float) -> float:
        """Return the height that is exceeded at a rate, the inverse of ``rate_above``.

        Args:
            rate_per_hour: In (0, 1); 1/720 is once in a month of 30 days.
        """
        floor = -math.log(rate_per_hour)
        if self.rate_per_hour <= rate_per_hour:
            return max(floor, self.start)
        above = self.scale * ((self.rate_per_hour / rate_per_hour) ** (1.0 / self.shape) - 1.0)
        return float(max(floor, self.start + above))


def excursion_tail(heights: Sequence[float], n_hours: int) -> ExcursionTail:
    """Fit the tail of excursion heights.

    Args:
        heights: Highest value of each excursion, in nats; empty when there was none.
        n_hours: Hours in which they were seen, at least 1.
    """
    ordered = np.sort(np.asarray(heights, dtype=np.float64))[::-1]
    n_tail = min(len(ordered), max(_MIN_EXCEEDANCES, int(_TAIL_SHARE * len(ordered))))
    start = float(ordered[n_tail]) if n_tail < len(ordered) else 0.0
    return ExcursionTail(
        start=start,
        rate_per_hour=n_tail / n_hours,
        shape=_PRIOR_EXCURSIONS + n_tail,
        scale=_PRIOR_EXCURSIONS + float((ordered[:n_tail] - start).sum()),
    )
