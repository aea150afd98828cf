"""Page's CUSUM along the hours of a series that learns its level anew after every change.

Sources: Page 1954 (CUSUM); Huber 1965 (capped likelihood ratios, so that no single hour decides);
Hinkley 1970 (the change began when the sum was last zero). One pass serves two ends: without
thresholds it collects the excursion heights that calibrate them, with thresholds it alarms.
"""

from dataclasses import dataclass, field
from typing import Protocol

from include.freezeline.stats.result import FloatArray
from include.freezeline.stats.seasons import HOURS_A_DAY, HOURS_A_WEEK

WARM_UP_HOURS = 72
BASELINE_HOURS = HOURS_A_WEEK
RELEARN_HOURS = 24
# Three hours at the cap are less than the lowest threshold in use: no hour decides alone.
EVIDENCE_CAP = 3.0
# An excursion that lasts a day is a change of the series, above this height (nats).
_CHANGE_HEIGHT = 8.0


class Evidence(Protocol):
    """What the hours of a series say, given its level."""

    def is_known(self, hour: int) -> bool:
        """Whether the hour has a value."""

    def level(self, start: int, end: int) -> float | None:
        """Return the level of the hours ``[start, end)``; None when nothing is known."""

    def n_known(self, start: int, end: int) -> int:
        """Return how many hours with a value the level of ``[start, end)`` is learnt from."""

    def residual(self, hour: int, level: float) -> float:
        """Return how far the hour is from the level."""

    def nats(self, hour: int, level: float) -> tuple[float, ...]:
        """Return the log likelihood ratio of each watched change; one per sum."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """A sum that passed its threshold.

    Attributes:
        hour: Hour whose value raised the alarm.
        began: Hour at which the change began, the last zero of the sum.
        is_rise: Whether one of the sums that watch rises raised it.
    """

    hour: int
    began: int
    is_rise: bool


@dataclass(slots=True)
class CusumPass:
    """What one pass over a series saw.

    Attributes:
        alarms: Alarms in time order.
        heights: Excursion heights before the judged hours, per sum.
        peaks: Highest value of each sum in the judged hours.
        residuals: Distance of each hour from its level; NaN where unknown.
        levels: Level that each hour was compared with; NaN where there was none.
        n_hours: Hours before the judged ones that were compared with a level.
    """

    alarms: list[Alarm]
    heights: list[list[float]]
    peaks: list[float]
    residuals: FloatArray
    levels: FloatArray
    n_hours: int = 0


@dataclass(slots=True)
class Cusum:
    """The state of a pass.

    Attributes:
        evidence: What the hours say.
        n_sums: Sums that ``evidence.nats`` feeds, those that watch rises first.
        n_rise_sums: How many of them watch rises.
        judged_from: First judged hour.
        seen: What the pass has seen so far.
        thresholds: Of each sum; None to calibrate.
        counted_from: Heights of earlier excursions do not count.
    """

    evidence: Evidence
    n_sums: int
    n_rise_sums: int
    judged_from: int
    seen: CusumPass
    thresholds: tuple[float, ...] | None = None
    counted_from: int = 0
    segment: int = 0
    level: float | None = None
    sums: list[float] = field(default_factory=list)
    tops: list[float] = field(default_factory=list)
    began: list[int] = field(default_factory=list)

    def run(self) -> CusumPass:
        """Go through all hours."""
        self._reset(0)
        for hour in range(len(self.seen.residuals)):
            if hour % HOURS_A_DAY == 0 or self.level is None:
                self.level = self._learn(hour)
            if self.level is None or not self.evidence.is_known(hour):
                continue
            self._take(hour, self.level)
        return self.seen

    def _learn(self, hour: int) -> float | None:
        """Return the level of the week before, None while too little of it is known."""
        start = max(self.segment, hour - BASELINE_HOURS)
        needed = RELEARN_HOURS if self.segment else WARM_UP_HOURS // 2
        if self.evidence.n_known(start, hour) < needed:
            return None
        return self.evidence.level(start, hour)

    def _take(self, hour: int, level: float) -> None:
        """Add the evidence of an hour."""
        residual = self.evidence.residual(hour, level)
        self.seen.residuals[hour], self.seen.levels[hour] = residual, level
        is_past = hour < self.judged_from
        self.seen.n_hours += self.counted_from <= hour < self.judged_from
        for i, nats in enumerate(self.evidence.nats(hour, level)):
            self._add(i, hour, max(-EVIDENCE_CAP, min(EVIDENCE_CAP, nats)))
        for i in range(self.n_sums):
            if not is_past:
                self.seen.peaks[i] = max(self.seen.peaks[i], self.sums[i])
            if self._is_change(i, hour):
                self._rebase(i, hour)
                return

    def _add(self, i: int, hour: int, nats: float) -> None:
        """Move one sum; a return to zero ends an excursion."""
        total = self.sums[i] + nats
        if total > 0.0:
            self.sums[i], self.tops[i] = total, max(self.tops[i], total)
            return
        if self.tops[i] > 0.0:
            self._count(i, hour)
        self.sums[i], self.tops[i], self.began[i] = 0.0, 0.0, hour + 1

    def _is_change(self, i: int, hour: int) -> bool:
        """Say whether a sum has gone so far that the level must be learnt anew."""
        if self.thresholds is not None:
            return self.sums[i] > self.thresholds[i]
        lasts = hour - self.began[i] >= HOURS_A_DAY
        return hour < self.judged_from and lasts and self.sums[i] > _CHANGE_HEIGHT

    def _rebase(self, i: int, hour: int) -> None:
        """Note the change and forget the level before it."""
        if self.thresholds is not None:
            self.seen.alarms.append(Alarm(hour, self.began[i], i < self.n_rise_sums))
        else:
            self._count(i, hour)
        self.segment, self.level = self.began[i], None
        self._reset(hour + 1)

    def _count(self, i: int, hour: int) -> None:
        """Keep the height of an excursion that ended in the hours that calibrate."""
        if self.counted_from <= hour < self.judged_from:
            self.seen.heights[i].append(self.tops[i])

    def _reset(self, hour: int) -> None:
        """Set every sum to zero."""
        self.sums, self.tops = [0.0] * self.n_sums, [0.0] * self.n_sums
        self.began = [hour] * self.n_sums
