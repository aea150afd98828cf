"""Late outcomes: how many of the pending events will still turn bad."""

import math
import warnings
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from include.freezeline.slo.events import Events, IntArray
from include.freezeline.slo.windows import DAY_US
from include.freezeline.stats.proportions import jeffreys_interval

_RECENT_US = 7 * DAY_US
_MIN_DELAYS = 20
_CONFIDENCE = 0.975


def nowcast_bad_upper(inside: Events, maturity_lag: timedelta | None, as_of_us: int) -> Fraction:
    """Return an upper bound of the window's final bad count, from the delays seen so far.

    The bad outcomes of the last days are divided by the exposure that had time to show them
    (effective-exposure nowcast, Garwood 97.5% bound); the rest of the pending events' exposure
    then gives what is still to come. It never exceeds "every pending event turns bad".

    Args:
        inside: Events of the window, known before ``as_of``.
        maturity_lag: Age at which an event is final.
        as_of_us: Exclusive end of what is known.
    """
    is_bad = inside.is_bad(as_of_us)
    weight = inside.weight
    n_bad = int(weight[is_bad].sum())
    if maturity_lag is None:
        return Fraction(n_bad)
    lag_us = maturity_lag // timedelta(microseconds=1)
    ages_us = as_of_us - inside.at_us
    is_pending = (ages_us < lag_us) & ~is_bad
    if not is_pending.any():
        return Fraction(n_bad)
    shown = _share_shown(inside, is_bad, ages_us, lag_us)
    is_recent = ages_us <= max(_RECENT_US, 2 * lag_us)
    exposure = float((shown * weight)[is_recent].sum())
    n_pending = int(weight[is_pending].sum())
    if exposure <= 0.0:
        return Fraction(n_bad + n_pending)
    rate = _upper_bad(weight[is_bad & is_recent], weight) / exposure
    to_come = rate * float(((1.0 - shown) * weight)[is_pending].sum())
    return n_bad + min(Fraction(n_pending), Fraction(math.ceil(to_come * 1000), 1000))


@dataclass(frozen=True, slots=True)
class Nowcast:
    """The bad ratio that a window will end with, and its 95% interval."""

    ratio: float
    lower: float
    upper: float


def nowcast_ratio(inside: Events, maturity_lag: timedelta | None, as_of_us: int) -> Nowcast | None:
    """Estimate the final bad ratio by Kaplan and Meier: outcomes are late, not absent.

    A bad outcome is the event, its delay the time; a call without one is censored at its age, or
    at the lag. The estimate is one minus survival at the lag, its interval Greenwood's on the
    log-log scale; without a bad outcome it is Jeffreys' for the final calls. Assumes that delays
    do not change.

    Args:
        inside: Events of the window, known before ``as_of``.
        maturity_lag: Age at which an event is final.
        as_of_us: Exclusive end of what is known.

    Returns:
        None without a lag or events, and for sampled rows of several weights.
    """
    if maturity_lag is None or len(inside) == 0 or np.ptp(inside.weight) > 0:
        return None
    lag_us = maturity_lag // timedelta(microseconds=1)
    ages_us = np.minimum(as_of_us - inside.at_us, lag_us)
    is_bad = inside.is_bad(as_of_us) & (inside.bad_known_at_us - inside.at_us <= lag_us)
    if not is_bad.any():
        n_final = int((ages_us >= lag_us).sum())
        interval = jeffreys_interval(0, n_final) or (0.0, 1.0)
        return Nowcast(0.0, *interval)
    delays_us = np.where(is_bad, inside.bad_known_at_us - inside.at_us, ages_us)
    survival: Any = stats.ecdf(stats.CensoredData.right_censored(delays_us, ~is_bad)).sf
    with warnings.catch_warnings():  # undefined before the first outcome, which nobody asks for
        warnings.simplefilter("ignore", RuntimeWarning)
        interval = survival.confidence_interval(0.95, method="log-log")
    ends = [1.0 - float(curve.evaluate(lag_us)) for curve in (interval.high, interval.low)]
    if not np.isfinite(ends).all():  # every call turned bad
        ends = list(jeffreys_interval(int(is_bad.sum()), len(inside)) or (0.0, 1.0))
    return Nowcast(1.0 - float(survival.evaluate(lag_us)), *ends)


def _upper_bad(bad: IntArray, weight: IntArray) -> float:
    """Return the upper bound of a count of bad events, from the rows that were seen of them.

    Args:
        bad: Weights of the bad events.
        weight: Weights of all events: what an unseen bad one would count as.
    """
    if len(bad) == 0:
        return float(stats.chi2.ppf(_CONFIDENCE, 2)) / 2 * float(weight.mean())
    calls_per_row = float((bad.astype(np.float64) ** 2).sum()) / float(bad.sum())
    n_rows = float(bad.sum()) / calls_per_row
    return float(stats.chi2.ppf(_CONFIDENCE, 2 * n_rows + 2)) / 2 * calls_per_row


def _share_shown(
    inside: Events, is_bad: NDArray[np.bool_], ages_us: IntArray, lag_us: int
) -> NDArray[np.float64]:
    """Return, for each event's age, the share of bad outcomes known by that age.

    Delays come from events old enough to have shown all of theirs, so short delays are not
    over-represented; with too few of them a uniform delay is assumed.
    """
    is_final = is_bad & (ages_us >= lag_us)
    if int(is_final.sum()) < _MIN_DELAYS:
        return np.minimum(ages_us / lag_us, 1.0)
    delays = np.sort(inside.bad_known_at_us[is_final] - inside.at_us[is_final])
    shown = np.searchsorted(delays, ages_us, side="right") / len(delays)
    return np.where(ages_us >= lag_us, 1.0, shown)
