"""Scan the evidence of an hourly series, with thresholds from its own past.

The evidence feeds Page's CUSUMs (``stats/cusum.py``); their thresholds come from the heights that the
sums reached in the series' own past (``stats/excursions.py``), for a stated number of false alarms per
month of 720 hours. So noise, heavy tails, hours that hang together and levels that wander raise the
threshold of that series, and only of that one.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from include.freezeline.stats.cusum import WARM_UP_HOURS, Alarm, Cusum, CusumPass, Evidence
from include.freezeline.stats.excursions import ExcursionTail, excursion_tail
from include.freezeline.stats.result import FloatArray

HOURS_A_MONTH = 720
# So long a change may be the level of what came after it and not yet that of the week before.
_SETTLING_HOURS = 168
Side = Literal["upper", "lower"]


@dataclass(frozen=True, slots=True)
class HourlyPlan:
    """What is looked for.

    Attributes:
        min_change_ratio: Relative change that matters, 0.2 is 20% up, or down by the inverse.
        min_difference: For shares, the absolute rise that matters; the larger of both counts.
        is_two_sided: Whether falls count too; shares are watched upwards only.
        false_alarms_per_month: Expected false alarms of the series in 720 hours.
        min_hours: Hours that must have been compared with a level before the judged ones.
        max_past_changes: A series with more changes before the judged hours gets no answer; one
            incident is two, there and back.
    """

    min_change_ratio: float
    min_difference: float = 0.0
    is_two_sided: bool = False
    false_alarms_per_month: float = 1.0
    min_hours: int = 72
    max_past_changes: int = 2

    @property
    def n_sides(self) -> int:
        """How many directions are watched."""
        return 2 if self.is_two_sided else 1


@dataclass(frozen=True, slots=True)
class HourlyScan:
    """What the judged hours say.

    Attributes:
        alarms: Alarms in the judged hours, oldest first.
        p_value: Probability that a quiet series gathers as much evidence in the judged hours;
            never 0; None without enough history.
        side: Direction with the most evidence.
        n_past_changes: Changes before the judged hours, found with the same thresholds.
        residuals: Distance of each hour from its usual value, in logs (levels) or share points;
            NaN where unknown. The judged hours are compared with the level before them.
        usual: Usual value of each judged hour, season included; NaN where there was none.
        threshold_nats: Least evidence that alarms.
        evidence_nats: Most evidence in the judged hours.
        season: Season in use: none, daily or weekly.
        method: How it was judged.
        reason: Why there is no answer; None when there is one.
        settled_from: First hour of a change that alarmed in the days before the judged hours, whose
            level they have; None when there was none.
    """

    alarms: tuple[Alarm, ...]
    p_value: float | None
    side: Side
    n_past_changes: int
    residuals: FloatArray
    usual: FloatArray
    threshold_nats: float
    evidence_nats: float
    season: str
    method: str
    reason: str | None = None
    settled_from: int | None = None

    @property
    def sign(self) -> float:
        """1 where a rise was looked at, -1 where a fall was."""
        return -1.0 if self.side == "lower" else 1.0


@dataclass(frozen=True, slots=True)
class Span:
    """Which hours are which.

    Attributes:
        n_hours: All hours.
        judged_from: First judged hour.
        counted_from: First hour whose excursions calibrate the thresholds.
    """

    n_hours: int
    judged_from: int
    counted_from: int


def scan_evidence(
    evidence: Evidence,
    rate_shares: list[float],
    span: Span,
    plan: HourlyPlan,
    method: str,
    season: str,
) -> HourlyScan:
    """Calibrate on the past, then go through all hours with the thresholds.

    Args:
        evidence: What the hours say.
        rate_shares: Share of a direction's false alarms that each sum may raise; the sums of rises
            first, as many for falls where the plan has two sides.
        span: Which hours are which.
        plan: What is looked for.
        method: Name of the method.
        season: Season in use.
    """
    n_rises = max(1, len(rate_shares) // plan.n_sides)
    n_hours, judged_from = span.n_hours, span.judged_from
    sums = (len(rate_shares), n_rises)
    quiet = one_pass(evidence, sums, span, None)
    reason = too_little(quiet, judged_from, plan)
    if reason:
        return no_answer(n_hours, method, reason)
    tails = [excursion_tail(heights, quiet.n_hours) for heights in quiet.heights]
    per_hour = plan.false_alarms_per_month / HOURS_A_MONTH / plan.n_sides
    thresholds = tuple(
        tail.height_of(per_hour * share) for tail, share in zip(tails, rate_shares, strict=True)
    )
    replay = one_pass(evidence, sums, span, thresholds)
    n_past = sum(alarm.hour < judged_from for alarm in replay.alarms)
    if n_past > plan.max_past_changes:
        reason = (
            f"the series changed {n_past} times by itself before the judged hours, at most "
            f"{plan.max_past_changes} leave a usual level"
        )
        return no_answer(n_hours, method, reason)
    settled_from = _settled_from(replay, judged_from)
    # A change that alarmed before the judged hours is no news in them: they have its level.
    seen = quiet if settled_from is None else replay
    p_values = [_p_value(t, p, n_hours - judged_from) for t, p in zip(tails, seen.peaks, strict=True)]  # fmt: skip
    best = int(np.argmin(p_values))
    return HourlyScan(
        alarms=tuple(alarm for alarm in replay.alarms if alarm.hour >= judged_from),
        p_value=min(1.0, len(p_values) * p_values[best]),
        side="upper" if best < n_rises else "lower",
        n_past_changes=n_past,
        residuals=seen.residuals,
        usual=seen.levels,
        threshold_nats=min(thresholds),
        evidence_nats=max(seen.peaks),
        season=season,
        method=method,
        settled_from=settled_from,
    )


def _settled_from(replay: CusumPass, judged_from: int) -> int | None:
    """Return when the change began that is the last one and alarmed days before the judged hours."""
    if not replay.alarms or replay.alarms[-1].hour >= judged_from:
        return None
    alarm = replay.alarms[-1]
    return alarm.began if alarm.hour >= judged_from - _SETTLING_HOURS else None


def too_little(quiet: CusumPass, judged_from: int, plan: HourlyPlan) -> str | None:
    """Say why a first pass calibrates nothing."""
    if quiet.n_hours < plan.min_hours:
        return f"{quiet.n_hours} usable hours of history, at least {plan.min_hours} are needed"
    if not np.isfinite(quiet.levels[judged_from:]).any():
        return "no judged hour has enough events"
    return None


def one_pass(
    evidence: Evidence,
    sums: tuple[int, int],
    span: Span,
    thresholds: tuple[float, ...] | None,
) -> CusumPass:
    """Go through the hours once, with so many sums, of which so many watch rises."""
    n_sums, n_rises = sums
    seen = CusumPass(
        alarms=[],
        heights=[[] for _ in range(n_sums)],
        peaks=[0.0] * n_sums,
        residuals=np.full(span.n_hours, np.nan),
        levels=np.full(span.n_hours, np.nan),
    )
    return Cusum(
        evidence, n_sums, n_rises, span.judged_from, seen, thresholds, span.counted_from
    ).run()


def _p_value(tail: ExcursionTail, peak: float, n_judged: int) -> float:
    """Return the probability of one such excursion in the judged hours."""
    if peak <= 0.0:
        return 1.0
    return float(max(-math.expm1(-tail.rate_above(peak) * n_judged), np.finfo(float).tiny))


def shortage(values: FloatArray, judged_from: int, *, is_constant_fine: bool = False) -> str | None:
    """Say why the hours before the judged ones are no history."""
    past = values[:judged_from]
    n_known = int(np.isfinite(past).sum())
    if n_known < WARM_UP_HOURS:
        return f"{n_known} hours of history with enough events, at least {WARM_UP_HOURS} are needed"
    if not is_constant_fine and is_constant(past):
        return "the series is constant"
    if not np.isfinite(values[judged_from:]).any():
        return "no judged hour has enough events"
    return None


def is_constant(values: FloatArray) -> bool:
    """Whether everything that is known is one number."""
    known = values[np.isfinite(values)]
    return len(known) > 0 and float(np.ptp(known)) == 0.0


def no_answer(n_hours: int, method: str, reason: str) -> HourlyScan:
    """Return the scan that says why there is no answer."""
    nothing = np.full(n_hours, np.nan)
    return HourlyScan((), None, "upper", 0, nothing, nothing, 0.0, 0.0, "none", method, reason)
