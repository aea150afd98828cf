"""How sure the counts are: Jeffreys posterior, and an e-detector that daily looks do not wear out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from scipy import special, stats

from include.freezeline.stats.proportions import jeffreys_interval

LOW_VOLUME_ALLOWED_BAD = 5
"""Below this many allowed bad events an exhausted budget alone is no proof."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the known counts say about the true bad ratio.

    Attributes:
        interval: Jeffreys 95% interval of the bad ratio; None without events.
        p_breach: Jeffreys probability that the true ratio is at or above the limit; None
            without events or when the limit is zero.
        is_low_volume: Fewer than five bad events would be allowed.
    """

    interval: tuple[float, float] | None
    p_breach: float | None
    is_low_volume: bool


def weigh(n_bad: float, n_all: float, limit: Fraction) -> Evidence:
    """Weigh known counts against a limit.

    Args:
        n_bad: Events known to be bad; a broken number when rows of several weights were sampled.
        n_all: All events.
        limit: Allowed bad ratio.
    """
    is_low = limit > 0 and limit * Fraction(n_all) < LOW_VOLUME_ALLOWED_BAD
    p_breach = None if n_all == 0 or limit == 0 else jeffreys_p_at_least(n_bad, n_all, limit)
    return Evidence(jeffreys_interval(n_bad, n_all), p_breach, is_low)


def jeffreys_p_at_least(n_bad: float, n_all: float, limit: Fraction) -> float:
    """Return the posterior probability that the true ratio is at or above ``limit``."""
    return float(stats.beta.sf(float(limit), n_bad + 0.5, n_all - n_bad + 0.5))


def log_e_value(n_bad: float, n_good: float, limit: float, prior: tuple[float, float]) -> float:
    """Return the log e-value against "the true ratio is at most the limit".

    The alternative is a Beta prior cut to ``(limit, 1]``, so the value grows only when the ratio
    lies above the limit (Howard & Ramdas 2021, sub-Bernoulli mixture).
    """
    a, b = prior
    after = special.betaln(a + n_bad, b + n_good) + _log_sf(limit, a + n_bad, b + n_good)
    before = special.betaln(a, b) + _log_sf(limit, a, b)
    null = n_bad * math.log(limit) + n_good * math.log1p(-limit)
    return float(after - before - null)


def detector_score(daily: Sequence[tuple[float, float]], limit: Fraction) -> float | None:
    """Return the Shiryaev-Roberts score after the last of some days.

    Each day multiplies the score plus one by the day's e-value. An alarm at 365 comes, without
    any worsening, not more than once in 365 looks on average. Days without events change nothing.

    Args:
        daily: Bad and all events of each day, oldest first.
        limit: Allowed bad ratio; the prior's mean is twice the limit.

    Returns:
        None when the limit is 0 or 1 or no day has events.
    """
    if not 0 < limit < 1 or not any(n_all for _, n_all in daily):
        return None
    prior = (1.0, max(1.0, float(1 / (2 * limit)) - 1.0))
    score = 0.0
    for n_bad, n_all in daily:
        if n_all:
            log_e = log_e_value(n_bad, n_all - n_bad, float(limit), prior)
            score = (score + 1.0) * math.exp(min(log_e, 300.0))
    return min(score, 1e300)


def _log_sf(limit: float, a: float, b: float) -> float:
    """Return the log of the Beta survival; where it underflows, by Laplace's method at the limit."""
    survival = float(special.betaincc(a, b, limit))
    if survival > 1e-290:
        return math.log(survival)
    slope = (b - 1.0) / (1.0 - limit) - (a - 1.0) / limit
    edge = (a - 1.0) * math.log(limit) + (b - 1.0) * math.log1p(-limit)
    return float(edge - math.log(slope) - special.betaln(a, b))
