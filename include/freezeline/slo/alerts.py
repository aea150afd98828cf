"""Burn-rate alert tiers: a long and a short window must both burn too fast."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from include.freezeline.slo.budget import burn_rate
from include.freezeline.slo.events import Events

TierState = Literal["FIRING", "RECOVERING", "RISING", "OK"]


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
