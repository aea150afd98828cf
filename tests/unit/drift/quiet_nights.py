"""Nights in which nothing happened, for counting false alarms; p-values or answers are made up.

Windows of one segment are compared with one fixed reference, and a window of two days shares a day
with that of the night before. So the p-values of a segment depend on each other from window to
window and from night to night, which makes a false alarm likelier to last: the draws here do the
same. A z-value of a window is ``sqrt(r) * reference + sqrt(1 - r) * mean of its days``, where r is
the current window's share of all answers compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from scipy import stats

from include.freezeline.drift.findings import Finding
from include.freezeline.drift.night import Asked
from include.freezeline.drift.segments import Segment, SegmentTexts
from include.freezeline.drift.windows import Window
from include.freezeline.stats.result import FloatArray, StatResult

NIGHTS_A_MONTH = 30
_MAX_DAYS = 400


@dataclass(slots=True)
class DrawnAnswers:
    """Answers questions with p-values drawn under the null; effects are always large enough.

    Attributes:
        seed: Seed of the draws.
        first: A day before every window.
        reference_share: r above; 0.5 is a reference of the window's size.
        shifted: Segments in which everything has moved, by name, with the shift in z.
    """

    seed: int
    first: datetime
    reference_share: float = 0.5
    shifted: dict[str, float] = field(default_factory=dict)
    n_asked: int = 0
    _drawn: dict[str, FloatArray] = field(default_factory=dict)

    def __call__(self, asked: Sequence[Asked]) -> list[Finding]:
        """Return a finding per question."""
        self.n_asked += len(asked)
        return [self._finding(texts.segment, name, window) for texts, name, window in asked]

    def _finding(self, segment: Segment, question: str, window: Window) -> Finding:
        """Draw one answer."""
        z = self._z(f"{segment.feature}/{question}", window) + self.shifted.get(segment.feature, 0)
        p_value = float(2.0 * stats.norm.sf(abs(z)))
        result = StatResult(1.0, (0.9, 1.1), p_value, 300, 300, "drawn")
        return Finding(
            "drift", question, segment, window, None, result, 1.0, 0.0, None, "none", "", "", ""
        )

    def _z(self, subject: str, window: Window) -> float:
        """Return the window's z-value; the same whenever it is asked for."""
        noise = self._noise(subject)
        start, end = (at - self.first for at in (window.started_at, window.ended_at))
        days = noise[1 + start.days : 1 + end.days]
        own, share = days.sum() / np.sqrt(len(days)), self.reference_share
        return float(np.sqrt(share) * noise[0] + np.sqrt(1.0 - share) * own)

    def _noise(self, subject: str) -> FloatArray:
        """Return a subject's standard normal numbers: its reference, then one a day."""
        if subject not in self._drawn:
            rng = np.random.default_rng([self.seed, *subject.encode()])
            self._drawn[subject] = rng.standard_normal(_MAX_DAYS)
        return self._drawn[subject]


def empty_segments(n_segments: int) -> list[SegmentTexts]:
    """Return segments without rows, for answers that are drawn."""
    return [
        SegmentTexts(Segment(f"feature-{i:02d}", "production", "m"), {}, (), ())
        for i in range(n_segments)
    ]


def nights(first: datetime, n_nights: int) -> list[datetime]:
    """Return the ``as_of`` of consecutive nights that have a week before them."""
    return [first + timedelta(days=7 + night) for night in range(n_nights)]


def poisson_interval(n_events: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return Garwood's exact interval of the mean of a count."""
    tail = (1.0 - confidence) / 2.0
    lower = 0.0 if n_events == 0 else float(stats.chi2.ppf(tail, 2 * n_events)) / 2.0
    return lower, float(stats.chi2.ppf(1.0 - tail, 2 * n_events + 2)) / 2.0


def episodes(breach_nights: Sequence[int]) -> int:
    """Return how many runs of consecutive nights a subject's breaches make."""
    ordered = sorted(breach_nights)
    return sum(1 for i, night in enumerate(ordered) if i == 0 or night - ordered[i - 1] > 1)
