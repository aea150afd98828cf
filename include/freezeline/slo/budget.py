"""Error budgets by occurrences: exact counts, late outcomes as bounds, burn rates, 24-hour looks.

Counts are integers and limits are fractions, so that "exactly used up" is decided exactly.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Literal

import numpy as np

from include.freezeline.slo.events import BoolArray, Events, IntArray
from include.freezeline.slo.evidence import Evidence, weigh
from include.freezeline.slo.rolling import WorstDay, judging_start_us, worst_day
from include.freezeline.slo.windows import DAY_US, HOUR_US, Window, from_us, to_us

Op = Literal["lt", "lte"]
BoundsVerdict = Literal["OK", "PENDING", "BREACH"]
BURN_WINDOWS_H = (1, 6, 24, 72)


@dataclass(frozen=True, slots=True)
class Objective:
    """The numbers of an SLO that its arithmetic needs.

    Attributes:
        limit: Allowed bad ratio X.
        op: ``lt``: the bad ratio must stay below X; ``lte``: it may be X.
        maturity_lag: Age at which an event without a bad outcome counts as good; None when
            outcomes are known with the event.
        min_window_events: 24-hour windows with fewer events are not judged.
    """

    limit: Fraction
    op: Op = "lt"
    maturity_lag: timedelta | None = None
    min_window_events: int = 20

    def is_broken(self, n_bad: int, n_all: int) -> bool:
        """Whether so many bad events break the objective; compared exactly."""
        allowed = self.limit * n_all
        return n_bad > allowed if self.op == "lte" else n_bad > 0 and n_bad >= allowed


@dataclass(frozen=True, slots=True)
class Counts:
    """Bad and all events of some window.

    Attributes:
        n_bad: Bad events.
        n_all: All events.
        independence: Independent observations per counted event: 1 when every call was seen, less
            when one row stands for several.
    """

    n_bad: int
    n_all: int
    independence: float = 1.0

    @property
    def ratio(self) -> Fraction | None:
        """Bad ratio; None without events."""
        return Fraction(self.n_bad, self.n_all) if self.n_all else None

    @property
    def as_evidence(self) -> tuple[float, float]:
        """Bad and all observations that the counts rest on, in the same ratio."""
        return self.n_bad * self.independence, self.n_all * self.independence

    @property
    def n_seen(self) -> int:
        """All observations that the counts rest on, as a whole number."""
        return round(self.n_all * self.independence)


@dataclass(frozen=True, slots=True)
class Budget:
    """What one SLO's budget looks like, with the knowledge of one moment.

    Attributes:
        window: Compliance window.
        counts: Known bad and all events in it.
        n_pending: Events whose bad outcome may still arrive.
        mature: Counts of the events that are older than the maturity lag.
        last_day: Counts of the last 24 hours.
        burn_rates: Bad ratio over limit by hours looked back; None without events.
        worst_exact: Worst 24 hours that ended while judging; None below the minimum events.
        worst_hourly: The same, looking on whole hours only.
        judged_from_at: First end of a 24-hour window that counts.
        evidence: What the known counts prove.
        bounds: BREACH if the known bad events break the objective, OK if even all pending ones
            would not, otherwise PENDING.
        objective: The objective it was computed for.
    """

    window: Window
    counts: Counts
    n_pending: int
    mature: Counts
    last_day: Counts
    burn_rates: Mapping[int, Fraction | None]
    worst_exact: WorstDay | None
    worst_hourly: WorstDay | None
    judged_from_at: datetime
    evidence: Evidence
    bounds: BoundsVerdict
    objective: Objective

    @property
    def allowed_bad(self) -> Fraction:
        """Bad events the limit allows on this traffic."""
        return self.objective.limit * self.counts.n_all

    @property
    def consumed(self) -> Fraction | None:
        """Share of the budget that is surely spent."""
        return self.consumed_by(Fraction(self.counts.n_bad))

    @property
    def consumed_upper(self) -> Fraction | None:
        """Share of the budget spent if every pending event turns bad."""
        return self.consumed_by(Fraction(self.counts.n_bad + self.n_pending))

    @property
    def is_broken_24h(self) -> bool:
        """Whether the last 24 hours, with events enough, break the limit."""
        enough = self.last_day.n_all >= max(1, self.objective.min_window_events)
        return enough and self.objective.is_broken(self.last_day.n_bad, self.last_day.n_all)

    def consumed_by(self, n_bad: Fraction) -> Fraction | None:
        """Return the share of the budget that so many bad events spend.

        Returns:
            0 without bad events, None when a budget of zero is overspent.
        """
        if n_bad == 0:
            return Fraction(0)
        return n_bad / self.allowed_bad if self.allowed_bad else None

    def is_broken_any_24h(self, worst: WorstDay | None) -> bool:
        """Whether a worst 24-hour window breaks the limit."""
        return worst is not None and self.objective.is_broken(worst.n_bad, worst.n_all)

    @property
    def time_to_exhaustion_h(self) -> Fraction | None:
        """Hours until the rest is spent at the last day's burn; 0 if spent, None if not burning."""
        if self.consumed is None or self.consumed >= 1:
            return Fraction(0)
        burn = self.burn_rates.get(24)
        if not burn:
            return None
        return (1 - self.consumed) * Fraction(self.window.length_us, HOUR_US) / burn


def evaluate_budget(
    events: Events,
    objective: Objective,
    window: Window,
    as_of: datetime,
    *,
    with_hourly: bool = False,
    with_worst: bool = True,
) -> Budget:
    """Compute a budget from what was known before ``as_of``.

    Args:
        events: Every event of the subject, also from before the window and after ``as_of``.
        objective: Limit and rules.
        window: Compliance window.
        as_of: Exclusive end of what is known.
        with_hourly: Also look for the worst 24 hours on whole hours.
        with_worst: Look for the worst 24 hours at all; simulations have no use for it.
    """
    as_of_us, start_us = to_us(as_of), to_us(window.started_at)
    known = events.known_at(as_of_us)
    inside = known.between(start_us, to_us(window.ended_at))
    counts = count(inside, as_of_us)
    n_pending, mature = _maturity(inside, objective, as_of_us)
    judged_from_us = judging_start_us(known, start_us, as_of_us)
    worst = [
        worst_day(known, objective.min_window_events, judged_from_us, as_of_us, hourly=hourly)
        if is_wanted
        else None
        for hourly, is_wanted in ((False, with_worst), (True, with_hourly))
    ]
    return Budget(
        window=window,
        counts=counts,
        n_pending=n_pending,
        mature=mature,
        last_day=count(known.between(as_of_us - DAY_US, as_of_us), as_of_us),
        burn_rates={h: burn_rate(known, objective.limit, h, as_of_us) for h in BURN_WINDOWS_H},
        worst_exact=worst[0],
        worst_hourly=worst[1],
        judged_from_at=from_us(judged_from_us),
        evidence=weigh(*counts.as_evidence, objective.limit),
        bounds=_bounds(counts, n_pending, objective),
        objective=objective,
    )


def count(events: Events, as_of_us: int) -> Counts:
    """Count known bad and all events."""
    is_bad = events.is_bad(as_of_us)
    n_bad = int(events.weight[is_bad].sum())
    return Counts(n_bad, events.size, _independence(events.weight, is_bad))


def burn_rate(
    known: Events, limit: Fraction, hours: Fraction | int, as_of_us: int
) -> Fraction | None:
    """Return how many times faster than allowed the last hours spent the budget.

    Returns:
        None without events, and when a limit of zero was broken (infinitely fast).
    """
    ratio = count(known.between(as_of_us - int(hours * HOUR_US), as_of_us), as_of_us).ratio
    if ratio is None or ratio == 0:
        return ratio
    return ratio / limit if limit else None


def _maturity(inside: Events, objective: Objective, as_of_us: int) -> tuple[int, Counts]:
    """Return how many events are pending, and the counts of those old enough to be final."""
    if objective.maturity_lag is None:
        return 0, count(inside, as_of_us)
    lag_us = objective.maturity_lag // timedelta(microseconds=1)
    is_old = inside.at_us + lag_us <= as_of_us
    is_bad = inside.is_bad(as_of_us)
    weight = inside.weight
    mature = Counts(int(weight[is_old & is_bad].sum()), int(weight[is_old].sum()))
    return int(weight[~is_old & ~is_bad].sum()), mature


def _independence(weight: IntArray, is_bad: BoolArray) -> float:
    """Return how many independent observations one counted event is.

    Bad events are the rare ones, so their number says how sure the ratio is: Kish's effective
    size of the bad rows over what they count as. Without any, that of all rows.
    """
    decisive = weight[is_bad] if is_bad.any() else weight
    if len(decisive) == 0:
        return 1.0
    return float(decisive.sum()) / float((decisive.astype(np.float64) ** 2).sum())


def _bounds(counts: Counts, n_pending: int, objective: Objective) -> BoundsVerdict:
    """Judge the objective by its lower and its upper bound."""
    if objective.is_broken(counts.n_bad, counts.n_all):
        return "BREACH"
    if n_pending and objective.is_broken(counts.n_bad + n_pending, counts.n_all):
        return "PENDING"
    return "OK"
