"""Log likelihood ratios of hourly levels: all evidence, and that of levels never visited."""

import numpy as np

from include.freezeline.stats.cusum import BASELINE_HOURS
from include.freezeline.stats.result import FloatArray
from include.freezeline.stats.robust import MAD_TO_SD
from include.freezeline.stats.seasons import HOURS_A_DAY, HOURS_A_WEEK, whole_days

# Steadier series are judged as if their hours varied this much (log), so that a change that
# matters needs a few hours and one that does not matter is never evidence.
MIN_HOUR_SCALE = 0.15
# Values this close (log) are one level; so is what lies within the usual scatter.
_SAME_LEVEL = 0.06
# A level is visited when two hours of a day are at it, on more than this share of other days.
_VISIT_HOURS = 2
_VISITED_SHARE = 0.07
_MIN_OTHER_DAYS = 4
DAY_NEIGHBOURS = 1
# Zeros that are rarer than this before are a change when they come.
_RARE_SHARE = 0.05
_ZERO_RATIO = 0.25
# Events at which half of an hour's variance comes from having so few.
_HALF_WEIGHT_COUNT = 50.0


class LevelEvidence:
    """Evidence of a series of logarithms without its season."""

    def __init__(
        self, values: FloatArray, weights: FloatArray, *, change: float, scale: float, sides: int
    ) -> None:
        """Prepare the evidence.

        Args:
            values: Logarithms; NaN where missing.
            weights: Weight of each hour, up to 1.
            change: Logarithm of the change that matters.
            scale: Robust standard deviation of an hour.
            sides: 1 for rises only, 2 for rises and falls.
        """
        self._values, self._weights = values, weights.tolist()
        self._known = np.isfinite(values)
        self._as_list = values.tolist()
        self._slope, self._half = change / max(scale, MIN_HOUR_SCALE) ** 2, change / 2.0
        self._signs = (1.0, -1.0)[:sides]
        self.is_new = [1.0] * len(values)

    def is_known(self, hour: int) -> bool:
        """Whether the hour has a value."""
        return bool(self._known[hour])

    def n_known(self, start: int, end: int) -> int:
        """Return how many of the hours have a value."""
        return int(np.count_nonzero(self._known[start:end]))

    def level(self, start: int, end: int) -> float | None:
        """Return the median of the hours; None when nothing is known."""
        known = self._values[start:end][self._known[start:end]]
        return float(np.median(known)) if len(known) else None

    def residual(self, hour: int, level: float) -> float:
        """Return how far the hour is from the level, in logs."""
        return float(self._as_list[hour] - level)

    def nats(self, hour: int, level: float) -> tuple[float, ...]:
        """Return, per side, the evidence of the hour, and the same when its level is new."""
        found: list[float] = []
        for sign in self._signs:
            ahead = sign * (self._as_list[hour] - level) - self._half
            nats = self._slope * ahead * self._weights[hour]
            found += [nats, nats * self.is_new[hour] if nats > 0.0 else nats]
        return tuple(found)


def level_evidence(
    values: FloatArray, counts: FloatArray, judged_from: int, *, change: float, sides: int
) -> LevelEvidence:
    """Return the evidence of a series, its scatter and visited levels taken from its past.

    Args:
        values: Logarithms without season; NaN where missing.
        counts: Events behind each hour.
        judged_from: First judged hour.
        change: Logarithm of the change that matters.
        sides: 1 for rises only, 2 for rises and falls.
    """
    residuals = values - rolling_levels(values)
    past = residuals[:judged_from]
    known = past[np.isfinite(past)]
    scale = MAD_TO_SD * float(np.median(np.abs(known))) if len(known) else MIN_HOUR_SCALE
    weights = hour_weights(counts)
    evidence = LevelEvidence(values, weights, change=change, scale=scale, sides=sides)
    evidence.is_new = novelty(residuals, judged_from, max(scale, _SAME_LEVEL)).tolist()
    return evidence


def novelty(residuals: FloatArray, judged_from: int, tolerance: float) -> FloatArray:
    """Return 1 for hours at a level that other days do not visit by themselves, else 0.

    The day itself and its neighbours are left out, so that a change is no proof that its level
    is usual.

    Args:
        residuals: Distance of each hour from the level before its day; NaN where unknown.
        judged_from: Only earlier days can make a level usual.
        tolerance: Values this close are one level.
    """
    days = whole_days(residuals).reshape(-1, HOURS_A_DAY)
    past = days[: judged_from // HOURS_A_DAY]
    is_new = np.ones_like(days)
    for day in range(len(days)):
        others = past[np.abs(np.arange(len(past)) - day) > DAY_NEIGHBOURS]
        if len(others) < _MIN_OTHER_DAYS:
            continue
        near = np.abs(others[:, None, :] - days[day][None, :, None]) < tolerance
        share = (near.sum(axis=2) >= _VISIT_HOURS).mean(axis=0)
        is_new[day] = share <= _VISITED_SHARE
    return is_new.ravel()[: len(residuals)]


def hour_weights(counts: FloatArray) -> FloatArray:
    """Return the weight of each hour, from 0 to 1: that of few events says less."""
    return counts / (counts + _HALF_WEIGHT_COUNT)


def level_logs(values: FloatArray) -> FloatArray:
    """Return logarithms; NaN where a value is missing or not above zero."""
    return np.log(np.where(values > 0.0, values, np.nan))


def floored(values: FloatArray, judged_from: int) -> FloatArray:
    """Return the levels with an hour of zero told as a quarter of what that hour of the week has.

    A zero has no logarithm, and a series that falls to it has changed. A series that often is zero
    by itself is left as it is: there zeros say nothing.

    Args:
        values: Level of each hour; NaN where missing.
        judged_from: First judged hour; what is usual is told by the hours before.
    """
    is_zero = values == 0.0
    past = np.where(values > 0.0, values, np.nan)[:judged_from]
    n_known, n_zeros = int(np.isfinite(past).sum()), int(is_zero[:judged_from].sum())
    if not is_zero.any() or n_zeros >= _RARE_SHARE * n_known:
        return values
    hours = np.arange(len(values))
    usual = np.full(len(values), np.nanmedian(past))
    for place in np.flatnonzero(is_zero):
        for period in (HOURS_A_DAY, HOURS_A_WEEK):
            like = past[hours[:judged_from] % period == place % period]
            if np.isfinite(like).any():
                usual[place] = np.nanmedian(like)
    return np.where(is_zero, _ZERO_RATIO * usual, values)


def rolling_levels(values: FloatArray) -> FloatArray:
    """Return the median of the week before each hour's day; NaN when nothing is known."""
    levels = np.full(len(values), np.nan)
    known = np.isfinite(values)
    for start in range(HOURS_A_DAY, len(values), HOURS_A_DAY):
        span = slice(max(0, start - BASELINE_HOURS), start)
        if known[span].sum() >= HOURS_A_DAY:
            levels[start : start + HOURS_A_DAY] = np.median(values[span][known[span]])
    return levels
