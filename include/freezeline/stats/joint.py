"""Tell a change of every request from an odd mix of them, hour by hour.

The mean and the quantiles of an hour are a point. What a series does by itself (other mixes of small
and large requests, bursts, nights) draws its own cloud of such points; a change of every request moves
the point by the same log ratio in each reading, mostly to where the series never was. The evidence of
an hour is the log likelihood ratio of the two: how often other days were near the point with the change
taken back, over how often they were near the point itself. Densities are kernel estimates (Rosenblatt
1956, Parzen 1962) of all other days before the judged ones; a reading that is far off counts as a
bounded mismatch, so one wild reading does not hide what the others say. Three sizes of change, each with
a sum of its own (``stats/cusum.py``), watch each direction; thresholds are those of
``stats/excursions.py``.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from include.freezeline.stats.cusum import BASELINE_HOURS, RELEARN_HOURS
from include.freezeline.stats.hourly_scan import (
    HourlyPlan,
    HourlyScan,
    Span,
    no_answer,
    scan_evidence,
    shortage,
)
from include.freezeline.stats.level_evidence import DAY_NEIGHBOURS, hour_weights, level_logs
from include.freezeline.stats.result import BoolArray, FloatArray, IntArray
from include.freezeline.stats.seasons import HOURS_A_DAY, SEASONS, seasonal_profile, whole_days

METHOD = "joint_density_cusum"
# Changes that are looked for, in logs, as multiples of the one that matters.
_SIZES = (1.0, 2.0, 4.0)
# Mean mismatch of the readings (log) at which an hour is 1/e as near.
_WIDTH = 0.05
# No reading mismatches by more than this (log).
_MISMATCH_CAP = 0.5
# As if this many hours had been anywhere: what is far from everything is no evidence.
_BACKGROUND_HOURS = 1.0
# Rows of the kernel that are worked out together: they stay in the processor's cache.
_BLOCK_ROWS = 32
# Moves of the cloud (log) that a change is told apart by.
_MOVES = np.linspace(-1.5, 1.5, 61)


class JointEvidence:
    """Evidence of points of which every coordinate is the logarithm of a reading."""

    def __init__(
        self,
        points: FloatArray,
        weights: FloatArray,
        judged_from: int,
        *,
        change: float,
        sides: int,
    ) -> None:
        """Prepare the evidence.

        Args:
            points: Logarithms, a row per hour from a midnight on and a column per reading; NaN
                where missing.
            weights: Weight of each hour, up to 1.
            judged_from: First judged hour; only earlier days are a history.
            change: Logarithm of the change that matters.
            sides: 1 for rises only, 2 for rises and falls.
        """
        self._points, self._weights = points, weights
        self._known = known_hours(points)
        self._n_past = judged_from
        signs = (1.0, -1.0)[:sides]
        self._shifts = [0.0, *(sign * size * change for sign in signs for size in _SIZES)]
        self._usual = self._densities(slice(0, len(points)), 0.0)
        self._nats = self._ratios(self._usual, weights).T.tolist()
        self._after: dict[int, tuple[FloatArray, FloatArray]] = {}

    def _densities(self, rows: slice, moved: float) -> FloatArray:
        """Return the densities under each change; the cloud may have moved."""
        shifts = [shift + moved for shift in self._shifts]
        return densities(self._points, rows, self._n_past, shifts)

    @staticmethod
    def _ratios(near: FloatArray, weights: FloatArray | float) -> FloatArray:
        """Return the log likelihood ratio of every change over none, of one hour or of all."""
        logs = np.log(near + _BACKGROUND_HOURS)
        return np.asarray((logs[1:] - logs[0]) * weights)

    def is_known(self, hour: int) -> bool:
        """Whether all readings of the hour have a value."""
        return bool(self._known[hour])

    def n_known(self, start: int, end: int) -> int:
        """Return how many hours tell what is usual: all of the past where no change came before."""
        told_by = slice(start, end) if _is_young(start, end) else slice(0, self._n_past)
        return int(np.count_nonzero(self._known[told_by]))

    def level(self, start: int, end: int) -> float | None:
        """Return the hour from which on points are usual again, below 0 if they always were.

        After a change the hours since then are a history too, and so is all history moved as far as
        they are. Older than a week they are one like all others.
        """
        return float(start) if _is_young(start, end) else -1.0

    def residual(self, hour: int, level: float) -> float:  # noqa: ARG002 - a part of the protocol
        """Return 0: a point has no distance from a cloud."""
        return 0.0

    def nats(self, hour: int, level: float) -> tuple[float, ...]:
        """Return the evidence of each change, the sizes of rises first."""
        if level < 0.0:
            return tuple(self._nats[hour])
        start, midnight = int(level), hour // HOURS_A_DAY * HOURS_A_DAY
        if start not in self._after:
            self._after[start] = self._since(start)
        moved, young = self._after[start]
        n_since = min(hour, max(midnight, start + RELEARN_HOURS)) - start
        since = young[:, hour - start, :n_since].sum(axis=1)
        near = self._usual[:, hour] + moved[:, hour - start] + since
        return tuple(self._ratios(near, float(self._weights[hour])).tolist())

    def _since(self, start: int) -> tuple[FloatArray, FloatArray]:
        """Return what else is usual after a change: the moved cloud, and how near the hours since are."""
        rows = slice(start, start + BASELINE_HOURS + HOURS_A_DAY)
        is_known = self._known[rows]
        points = np.where(is_known[:, None], self._points[rows], 0.0)
        young = [nearness(points - shift, points) * is_known for shift in self._shifts]
        return self._densities(rows, self._move_at(start)), np.stack(young)

    def _move_at(self, start: int) -> float:
        """Return how far the cloud has moved at an hour: the move that the day after it fits best."""
        hours = np.flatnonzero(self._known[start : start + RELEARN_HOURS]) + start
        past = np.flatnonzero(self._known[: self._n_past])
        there = self._points[past[_are_apart(hours, past).all(axis=0)]]
        near = (nearness(self._points[hours] - move, there).sum(axis=1) for move in _MOVES)
        fits = [float(np.log(each + _BACKGROUND_HOURS).sum()) for each in near]
        return float(_MOVES[int(np.argmax(fits))])


def scan_joint(
    readings: Sequence[FloatArray], counts: FloatArray, judged_from: int, plan: HourlyPlan
) -> HourlyScan:
    """Look for a change of all readings in the judged hours.

    Null hypothesis: the judged hours' points come from the cloud of those before them.

    Args:
        readings: Positive readings of each hour from a midnight on; NaN where missing.
        counts: Events behind each hour; an hour of few events weighs less.
        judged_from: First judged hour, a multiple of 24.
        plan: What is looked for.

    Returns:
        The scan; its residuals and usual values say nothing.
    """
    points = np.stack([level_logs(values) for values in readings], axis=1)
    known = np.where(known_hours(points), 1.0, np.nan)
    reason = shortage(known, judged_from, is_constant_fine=True)
    if reason:
        return no_answer(len(counts), METHOD, reason)
    points, season = _without_season(points, judged_from)
    change = math.log1p(plan.min_change_ratio)
    weights = hour_weights(counts)
    evidence = JointEvidence(points, weights, judged_from, change=change, sides=plan.n_sides)
    shares = [1.0 / len(_SIZES)] * (len(_SIZES) * plan.n_sides)
    span = Span(len(counts), judged_from, 0)
    return scan_evidence(evidence, shares, span, plan, METHOD, season)


def _without_season(points: FloatArray, judged_from: int) -> tuple[FloatArray, str]:
    """Return the points without the season that all readings share, if that makes hours more alike."""
    centred = points - np.nanmedian(points[:judged_from], axis=0)
    # A row is known in all readings or not looked at, so plain medians do.
    season = seasonal_profile(whole_days(np.median(centred, axis=1)), judged_from)
    without = points - season.profile[: len(points), None]
    is_better = season.season != SEASONS[0] and _alikeness(without, judged_from) > _alikeness(
        points, judged_from
    )
    return (without, season.season) if is_better else (points, SEASONS[0])


def _alikeness(points: FloatArray, judged_from: int) -> float:
    """Return the mean log density of the hours before the judged ones."""
    past = densities(points, slice(0, judged_from), judged_from, [0.0])[0]
    return float(np.log(past[known_hours(points[:judged_from])] + _BACKGROUND_HOURS).mean())


def densities(points: FloatArray, rows: slice, n_past: int, shifts: Sequence[float]) -> FloatArray:
    """Return how many hours of other days are near some hours, with each shift taken back.

    Args:
        points: A row per hour and a column per reading; NaN where missing.
        rows: The hours that are looked at.
        n_past: Only hours before this one are a history.
        shifts: What is taken back.

    Returns:
        A row per shift and a column per hour; 0 where the hour is missing.
    """
    known = known_hours(points)
    hours = np.flatnonzero(known[rows]) + rows.start
    past = np.flatnonzero(known[:n_past])
    found = np.zeros((len(shifts), len(known[rows])))
    for start in range(0, len(hours), _BLOCK_ROWS):
        block = hours[start : start + _BLOCK_ROWS]
        is_usual = _are_apart(block, past)
        for row, shift in zip(found, shifts, strict=True):
            near = nearness(points[block] - shift, points[past])
            row[block - rows.start] = (near * is_usual).sum(axis=1)
    return found


def _is_young(start: int, end: int) -> bool:
    """Whether hours that a level would be learnt from begin with a change less than a week old."""
    return start > 0 and end - start < BASELINE_HOURS


def known_hours(points: FloatArray) -> BoolArray:
    """Return in which hours all readings are known."""
    return np.asarray(np.isfinite(points).all(axis=1))


def nearness(here: FloatArray, there: FloatArray) -> NDArray[np.float32]:
    """Return how near each point is to each of others, from 0 to 1.

    Args:
        here: Points, a row each and a column per reading.
        there: The others.
    """
    ours, theirs = here.T.astype(np.float32), there.T.astype(np.float32)
    distance = np.zeros((len(here), len(there)), dtype=np.float32)
    for own, other in zip(ours, theirs, strict=True):
        gap = np.abs(own[:, None] - other[None, :])
        distance += np.minimum(gap, np.float32(_MISMATCH_CAP), out=gap)
    distance *= np.float32(-1.0 / (_WIDTH * len(ours)))
    return np.asarray(np.exp(distance, out=distance))


def _are_apart(hours: IntArray, others: IntArray) -> BoolArray:
    """Return which hours are of other days than which, and of none beside these."""
    gaps = np.abs(hours[:, None] // HOURS_A_DAY - others[None, :] // HOURS_A_DAY)
    return np.asarray(gaps > DAY_NEIGHBOURS)
