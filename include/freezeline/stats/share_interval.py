"""Intervals of shares whose days vary more than a binomial.

On the log odds the days' own variance is taken to be the same whatever the share (a logit-normal
mixed model, Breslow & Clayton 1993). It makes the events worth fewer independent ones, and of so many
the interval is Jeffreys' (Brown, Cai & DasGupta 2001).
"""

import numpy as np
from scipy import stats

from include.freezeline.stats.proportions import jeffreys_interval
from include.freezeline.stats.result import FloatArray, IntArray
from include.freezeline.stats.robust import MEDIAN_VARIANCE

_NORMAL_QUANTILE = float(stats.norm.ppf(0.975))


def log_odds_variance(n_bad: IntArray, n_all: IntArray, groups: IntArray) -> float:
    """Return how much the log odds of days vary beyond what their counts explain; at least 0.

    Moments: the squared distances from the share of the group less what a binomial has of them.

    Args:
        n_bad: Events that count, per day.
        n_all: All events per day.
        groups: Days of a group share a ratio.
    """
    excess, information = 0.0, 0.0
    for group in np.unique(groups[n_all > 0]):
        own = (groups == group) & (n_all > 0)
        bad, size = n_bad[own].astype(np.float64), n_all[own].astype(np.float64)
        ratio = float(bad.sum() / size.sum())
        if len(bad) < 2 or not 0.0 < ratio < 1.0:
            continue
        binomial = size * ratio * (1.0 - ratio)
        # One degree of freedom is spent on the group's ratio.
        kept = len(bad) / (len(bad) - 1.0)
        excess += float((kept * (bad - size * ratio) ** 2 - binomial).sum())
        information += float((binomial**2).sum())
    return max(0.0, excess / information) if information > 0.0 else 0.0


def level_interval(
    share: float, n_all: FloatArray, variance: float, n_days: int, *, is_median: bool = False
) -> tuple[float, float] | None:
    """Return the 95% interval of the share that days vary around; None without events.

    It is not that of the calls which were seen: those have the share that they have.

    Args:
        share: Share of all events, or of the middle day.
        n_all: Events of each day.
        variance: How much the log odds of days vary, see ``log_odds_variance``.
        n_days: Days that the variance was learnt from; few widen the interval.
        is_median: Whether the share is that of the middle day.
    """
    sizes = n_all[n_all > 0]
    if len(sizes) == 0:
        return None
    if is_median:
        spread = MEDIAN_VARIANCE if len(sizes) > 2 else 1.0
        of_counts = spread * float((1.0 / sizes).sum()) / len(sizes) ** 2
        of_days = spread / len(sizes)
    else:
        of_counts = 1.0 / float(sizes.sum())
        of_days = float((sizes**2).sum()) / float(sizes.sum()) ** 2
    share = min(1.0, max(0.0, share))
    # What few days tell of needs a t distribution; counts tell half as much of it as normal values.
    wider = (float(stats.t.ppf(0.975, max(1.0, (n_days - 1) / 2.0))) / _NORMAL_QUANTILE) ** 2
    n_worth = 1.0 / (of_counts + wider * of_days * variance * share * (1.0 - share))
    return jeffreys_interval(share * n_worth, n_worth)
