"""The worst 24 hours: exact over every possible window, and on whole hours for comparison."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from include.freezeline.slo.events import Events, IntArray
from include.freezeline.slo.windows import DAY_US, HOUR_US, from_us


@dataclass(frozen=True, slots=True)
class WorstDay:
    """Twenty-four hours ``[ended_at - 24 h, ended_at)`` and their counts."""

    ended_at: datetime
    n_bad: int
    n_all: int


def judging_start_us(known: Events, window_start_us: int, as_of_us: int) -> int:
    """Return the first window end that is judged: never a half-filled first day."""
    first = window_start_us
    if len(known):
        first = max(first, int(known.at_us[0]) + DAY_US)
    return min(as_of_us, first)


def worst_day(
    known: Events, min_events: int, start_us: int, as_of_us: int, *, hourly: bool = False
) -> WorstDay | None:
    """Return the 24 hours with the highest known bad ratio; the earliest of equals.

    The counts of a window change only where an event enters it or leaves it, so looking one
    microsecond after each event and a day after that finds the true maximum.

    Args:
        known: Events known before ``as_of``.
        min_events: Windows with fewer events are not judged.
        start_us: First window end to look at.
        as_of_us: Last window end to look at.
        hourly: Look on whole UTC hours instead.
    """
    ends = _whole_hours(start_us, as_of_us) if hourly else _changes(known, start_us, as_of_us)
    all_before = np.concatenate(([0], np.cumsum(known.weight)))
    bad_before = np.concatenate(([0], np.cumsum(known.weight * known.is_bad(as_of_us))))
    first = np.searchsorted(known.at_us, ends - DAY_US)
    last = np.searchsorted(known.at_us, ends)
    n_all = all_before[last] - all_before[first]
    n_bad = bad_before[last] - bad_before[first]
    is_judged = n_all >= max(1, min_events)
    if not is_judged.any():
        return None
    # Float64 quotients of counts below 2**26 are equal only for equal fractions.
    best = int(np.argmax(np.where(is_judged, n_bad / np.maximum(n_all, 1), -1.0)))
    return WorstDay(from_us(int(ends[best])), int(n_bad[best]), int(n_all[best]))


def _changes(known: Events, start_us: int, as_of_us: int) -> IntArray:
    """Return every window end at which the counts differ from just before, ascending."""
    candidates = np.concatenate(
        (np.array([start_us, as_of_us]), known.at_us + 1, known.at_us + DAY_US + 1)
    )
    candidates = candidates[(candidates >= start_us) & (candidates <= as_of_us)]
    candidates.sort()
    return candidates


def _whole_hours(start_us: int, as_of_us: int) -> IntArray:
    """Return the whole UTC hours between two moments, both included."""
    return np.arange(-(-start_us // HOUR_US) * HOUR_US, as_of_us + 1, HOUR_US)
