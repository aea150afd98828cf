"""Which days are alike: all of them, workdays and weekends, or each day of the week.

The grouping is chosen by how well the other days of its group foretell each day (leave-one-out
cross-validation, Stone 1974), so a season that is not there costs next to nothing. Medians keep an
incident in one week from becoming a season.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from include.freezeline.stats.result import BoolArray, FloatArray, IntArray

DAYS_A_WEEK = 7
# From the plainest on; each must beat the ones before it.
_GROUPS_BY_SEASON: dict[str, tuple[int, ...]] = {
    "none": (0, 0, 0, 0, 0, 0, 0),
    "weekend": (0, 0, 0, 0, 0, 1, 1),
    "weekday": (0, 1, 2, 3, 4, 5, 6),
}
# Seven medians of four days must miss by this much less than one median of 28.
_WORTHWHILE_RATIO = 0.85
# Days that another day of their group must foretell.
_MIN_KNOWN_SHARE = 0.8
# One wild day must not decide; nor may a gap that nobody would see (log).
_ERROR_CAP, _LEAST_LOG = 10.0, 0.05


@dataclass(frozen=True, slots=True)
class WeekSeason:
    """Which days of the week are alike.

    Attributes:
        name: ``none``, ``weekend`` or ``weekday``.
        groups: Group of each day of the week, Monday first; 7.
        is_own_day_asked: Whether too few weeks are known to say that days of the week do not
            differ: then a day must be compared with the same days of the week, too.
    """

    name: str
    groups: tuple[int, ...]
    is_own_day_asked: bool

    def like(self, weekdays: IntArray, weekday: int) -> BoolArray:
        """Return which of the days are in the group of a day of the week."""
        return np.asarray(self.of(weekdays) == self.groups[weekday], dtype=np.bool_)

    def of(self, weekdays: IntArray) -> IntArray:
        """Return the group of each day."""
        return np.asarray(self.groups, dtype=np.int64)[weekdays]


def week_season(values: FloatArray, weekdays: IntArray) -> WeekSeason:
    """Return which days of the week are alike in a daily series of levels.

    Args:
        values: Logarithm of each day's level; NaN where the day is unknown.
        weekdays: Day of the week of each, Monday is 0.
    """
    known = np.isfinite(values)
    values = values[known]
    return best_season(lambda groups: left_out_gaps(values, groups), weekdays[known], _LEAST_LOG)


def best_season(
    gaps_of: Callable[[IntArray], FloatArray], weekdays: IntArray, least: float
) -> WeekSeason:
    """Return the grouping of days of the week that foretells days best.

    Args:
        gaps_of: Returns how far each day is from what the other days of its group say, NaN where
            there is no other.
        weekdays: Day of the week of each known day, Monday is 0.
        least: A gap that nobody would see; it decides nothing.
    """
    best, misses = "none", np.abs(gaps_of(np.zeros_like(weekdays)))
    cap = least
    if np.isfinite(misses).any():
        cap = max(cap, _ERROR_CAP * float(np.nanmedian(misses)))
    is_weekday_known = False
    for name, groups in list(_GROUPS_BY_SEASON.items())[1:]:
        gaps = np.abs(gaps_of(np.asarray(groups, dtype=np.int64)[weekdays]))
        foretold = np.isfinite(gaps)
        if len(weekdays) == 0 or foretold.mean() < _MIN_KNOWN_SHARE:
            continue
        is_weekday_known = name == "weekday"
        ours, theirs = (np.minimum(each[foretold], cap).sum() for each in (gaps, misses))
        if ours < _WORTHWHILE_RATIO * theirs:
            best, misses = name, gaps
    return WeekSeason(best, _GROUPS_BY_SEASON[best], not is_weekday_known)


def left_out_gaps(values: FloatArray, groups: IntArray) -> FloatArray:
    """Return how far each day is from the median of the other days of its group.

    NaN for a day that is alone in its group.
    """
    gaps = np.full(len(values), np.nan)
    for group in np.unique(groups):
        places = np.flatnonzero(groups == group)
        if len(places) < 2:
            continue
        ordered = np.sort(values[places])
        rank = np.searchsorted(ordered, values[places])
        for place, own in zip(places, rank, strict=True):
            gaps[place] = values[place] - np.median(np.delete(ordered, own))
    return gaps
