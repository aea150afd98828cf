"""Burn-rate alert tiers: a long and a short window must both burn too fast."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import Literal

from include.freezeline.slo.budget import Counts, burn_rate, count
from include.freezeline.slo.events import Events
from include.freezeline.slo.windows import HOUR_US

TierState = Literal["FIRING", "RECOVERING", "RISING", "OK"]
BURN_COUNT_HOURS = (1, 2, 6, 24, 72)
"""Windows before a night's end whose events are counted, for alerts of any policy."""


@dataclass(frozen=True, slots=True)
class Tier:
    """One alert tier, as the part of the budget that may be spent in its long window."""

    name: str
    budget: Fraction
    long_h: Fraction
    short_h: Fraction

    def factor(self, compliance_h: Fraction) -> Fraction:
        """Return the burn rate that spends the tier's budget in its long window."""
        return self.budget * compliance_h / self.long_h


@dataclass(frozen=True, slots=True)
class TierResult:
    """A tier's burn rates and state; unreachable when even 100% bad events burn slower."""

    name: str
    factor: Fraction
    is_reachable: bool
    burn_long: Fraction | None
    burn_short: Fraction | None
    state: TierState


def evaluate_tier(
    tier: Tier, events: Events, limit: Fraction, compliance_h: Fraction, as_of_us: int
) -> TierResult:
    """Evaluate one tier at ``as_of``; a window without events is not over."""
    factor = tier.factor(compliance_h)
    known = events.known_at(as_of_us)
    long_burn = burn_rate(known, limit, tier.long_h, as_of_us)
    short_burn = burn_rate(known, limit, tier.short_h, as_of_us)
    is_long = long_burn is not None and long_burn >= factor
    is_short = short_burn is not None and short_burn >= factor
    names: dict[tuple[bool, bool], TierState] = {
        (True, True): "FIRING",
        (True, False): "RECOVERING",
        (False, True): "RISING",
        (False, False): "OK",
    }
    return TierResult(
        tier.name, factor, factor * limit <= 1, long_burn, short_burn, names[is_long, is_short]
    )


def recent_counts(
    events: Events, maturity_lag: timedelta | None, as_of_us: int
) -> tuple[int, Mapping[int, Counts]]:
    """Count the events of the last hours whose outcome is final.

    Where outcomes come late, the newest calls have none yet and would always look good: the
    windows then end a maturity lag before ``as_of``.

    Returns:
        Where the windows end, microseconds since 1970, and the counts by hours.
    """
    lag_us = (maturity_lag or timedelta(0)) // timedelta(microseconds=1)
    end_us = as_of_us - lag_us
    known = events.known_at(as_of_us)
    return end_us, {
        hours: count(known.between(end_us - hours * HOUR_US, end_us), as_of_us)
        for hours in BURN_COUNT_HOURS
    }
