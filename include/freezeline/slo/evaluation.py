"""One SLO, one subject, one moment: everything that is known, and the verdict."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

import numpy as np

from include.freezeline.contracts.judgement import Verdict
from include.freezeline.slo.budget import Budget, Counts, count, evaluate_budget
from include.freezeline.slo.catalogue import Slo
from include.freezeline.slo.decision import is_proven
from include.freezeline.slo.events import Events, IntArray
from include.freezeline.slo.evidence import detector_score, jeffreys_p_at_least
from include.freezeline.slo.feeds import Silence
from include.freezeline.slo.maturity import nowcast_bad_upper
from include.freezeline.slo.slices import slice_events
from include.freezeline.slo.windows import DAY_US, HOUR_US, from_us, to_us

_INDICATED_P = 0.95
_OVERSPENT_ZERO_BUDGET = Fraction(10**6)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What one SLO says about one feature in one environment.

    Attributes:
        slo: The SLO.
        feature: Feature judged.
        environment: Environment judged.
        as_of: Exclusive end of what was known.
        budget: The counts and what follows from them.
        nowcast_upper: Share of the budget that the pending outcomes may bring it to.
        score: Shiryaev-Roberts score on what is known; None without events.
        mature_score: The same on final outcomes only.
        silence: Outcome feed that stopped; None while it delivers.
    """

    slo: Slo
    feature: str
    environment: str
    as_of: datetime
    budget: Budget
    nowcast_upper: Fraction
    score: float | None
    mature_score: float | None
    silence: Silence | None = None

    @property
    def has_events(self) -> bool:
        """Whether the window has events."""
        return self.budget.counts.n_all > 0

    @property
    def has_data(self) -> bool:
        """Whether the window has events and their outcomes still arrive."""
        return self.has_events and self.silence is None

    @property
    def is_tripped(self) -> bool:
        """Whether the trip wire was touched."""
        return _reaches(self.score, self.slo.trip_wire)

    @property
    def is_calm(self) -> bool:
        """Whether there is recent traffic and final outcomes do not touch the trip wire either."""
        return self.budget.last_day.n_all > 0 and not _reaches(
            self.mature_score, self.slo.trip_wire
        )

    @property
    def is_proven(self) -> bool:
        """Whether the counts are enough to freeze a broken budget."""
        return self.budget.bounds == "BREACH" and is_proven(self.budget, self.slo.evidence)

    @property
    def is_indicated(self) -> bool:
        """Whether the counts are enough to warn."""
        evidence = self.budget.evidence
        return not evidence.is_low_volume or (evidence.p_breach or 0.0) >= _INDICATED_P

    @property
    def consumed_lower(self) -> Fraction:
        """Share of the budget surely spent, with a number also for a broken budget of zero."""
        consumed = self.budget.consumed
        return _OVERSPENT_ZERO_BUDGET if consumed is None else consumed

    @property
    def consumed_nowcast(self) -> Fraction | None:
        """``nowcast_upper``, but None without events and for an overspent budget of zero."""
        is_number = self.has_events and self.nowcast_upper != _OVERSPENT_ZERO_BUDGET
        return self.nowcast_upper if is_number else None

    @property
    def time_to_exhaustion_h(self) -> Fraction | None:
        """Hours until the budget is spent; None at a burn up to 1, which never spends it.

        A window that rolls gets as much budget back as is spent at such a pace. In a calendar
        period the budget is that of the traffic so far, and a new one begins with the next.
        """
        if not self.has_events:
            return None
        burn = self.budget.burn_rates[24]
        if self.consumed_lower >= 1:
            return Fraction(0)
        if burn is None or burn <= 1:
            return None
        if self.slo.window.period is None:
            return self.budget.time_to_exhaustion_h
        return self._exhausted_in_period_h(burn)

    def _exhausted_in_period_h(self, burn: Fraction) -> Fraction | None:
        """Return when the budget so far, which grows with the period, is spent; None after it."""
        window, as_of_us = self.budget.window, to_us(self.as_of)
        elapsed_us = as_of_us - to_us(window.started_at)
        left_us = (1 - self.consumed_lower) * elapsed_us / (burn - 1)
        return left_us / HOUR_US if as_of_us + left_us <= to_us(window.ended_at) else None

    @property
    def verdict(self) -> Verdict:
        """The verdict; nothing known, or too little, is insufficient evidence."""
        if not self.has_data:
            return "insufficient_evidence"
        if self.is_tripped or self.is_proven:
            return "breach"
        if not _is_clear(self.budget):
            return "insufficient_evidence"
        return "warning" if self._is_worth_a_warning() else "ok"

    def _is_worth_a_warning(self) -> bool:
        """Whether little budget is left, may be left, or the last day surely broke the limit."""
        if self.consumed_lower >= self.slo.policy.warn_at or self.nowcast_upper >= 1:
            return True
        last, limit = self.budget.last_day, self.budget.objective.limit
        is_broken = self.budget.is_broken_24h and limit > 0
        return is_broken and jeffreys_p_at_least(*last.as_evidence, limit) >= self.slo.evidence


def evaluate(
    slo: Slo,
    events: Events,
    feature: str,
    environment: str,
    as_of: datetime,
    *,
    silence: Silence | None = None,
    with_worst: bool = True,
) -> Evaluation:
    """Evaluate an SLO with what was known before ``as_of``.

    Args:
        slo: The SLO.
        events: Its events of the subject.
        feature: Feature judged.
        environment: Environment judged.
        as_of: Exclusive end of what is known.
        silence: Outcome feed that stopped; None while it delivers.
        with_worst: Look for the worst 24 hours; a simulation of the future does not need it.
    """
    as_of_us = to_us(as_of)
    window = slo.window.at(as_of)
    events = counted_events(slo, events, as_of)
    budget = evaluate_budget(events, slo.objective, window, as_of, with_worst=with_worst)
    inside = events.known_at(as_of_us).between(to_us(window.started_at), to_us(window.ended_at))
    lag = slo.objective.maturity_lag or timedelta(0)
    final_us = as_of_us - lag // timedelta(microseconds=1)
    upper = nowcast_bad_upper(inside, slo.objective.maturity_lag, as_of_us)
    consumed_upper = budget.consumed_by(upper)
    return Evaluation(
        slo=slo,
        feature=feature,
        environment=environment,
        as_of=as_of,
        budget=budget,
        nowcast_upper=_OVERSPENT_ZERO_BUDGET if consumed_upper is None else consumed_upper,
        score=detector_score(daily_counts(inside, as_of_us, as_of_us), slo.objective.limit),
        mature_score=detector_score(daily_counts(inside, final_us, as_of_us), slo.objective.limit),
        silence=silence,
    )


def counted_events(slo: Slo, events: Events, as_of: datetime) -> Events:
    """Return what an SLO counts: its events, or the slices of its window.

    Args:
        slo: The SLO.
        events: Its events of a subject.
        as_of: Exclusive end of what is known.
    """
    if slo.slices is None:
        return events
    return slice_events(events, slo.slices, slo.window.at(as_of), to_us(as_of))


def daily_counts(inside: Events, end_us: int, as_of_us: int) -> Sequence[tuple[float, float]]:
    """Return known bad and all observations of each 24 hours before ``end``, oldest first."""
    past = inside.between(-(2**62), end_us)
    if len(past) == 0:
        return []
    days_ago = (end_us - 1 - past.at_us) // DAY_US
    n_days = int(days_ago.max()) + 1
    counts = _counts_by(days_ago, n_days, past, as_of_us)
    independence = count(past, as_of_us).independence
    return [(day.n_bad * independence, day.n_all * independence) for day in counts[::-1]]


def count_days(inside: Events, as_of_us: int) -> dict[str, Counts]:
    """Count known bad and all events by the UTC date they happened on, oldest first.

    Args:
        inside: Events of the window.
        as_of_us: Exclusive end of what is known.
    """
    if len(inside) == 0:
        return {}
    day = inside.at_us // DAY_US
    first = int(day[0])
    counts = _counts_by(day - first, int(day[-1]) - first + 1, inside, as_of_us)
    return {
        f"{from_us((first + number) * DAY_US):%Y-%m-%d}": each for number, each in enumerate(counts)
    }


def group_counts(inside: Events, codes: IntArray, n_groups: int, as_of_us: int) -> list[Counts]:
    """Count known bad and all events by group.

    Args:
        inside: Events of the window.
        codes: Group number of each row of the table the events came from.
        n_groups: How many groups there are.
        as_of_us: Exclusive end of what is known.
    """
    return _counts_by(codes[inside.row], n_groups, inside, as_of_us)


def _counts_by(group: IntArray, n_groups: int, events: Events, as_of_us: int) -> list[Counts]:
    """Count known bad and all events by their group numbers."""
    is_bad = events.is_bad(as_of_us)
    n_all = np.bincount(group, events.weight, minlength=n_groups)
    n_bad = np.bincount(group[is_bad], events.weight[is_bad], minlength=n_groups)
    return [Counts(int(bad), int(every)) for bad, every in zip(n_bad, n_all, strict=True)]


def _reaches(score: float | None, trip_wire: int | None) -> bool:
    """Whether a score reaches the trip wire; none of either is no."""
    return score is not None and trip_wire is not None and score >= trip_wire


def _is_clear(budget: Budget) -> bool:
    """Whether the counts can say "not broken": volume enough, or a posterior that is sure."""
    evidence = budget.evidence
    if not evidence.is_low_volume:
        return True
    return budget.bounds != "BREACH" and (evidence.p_breach or 0.0) <= 1 - _INDICATED_P
