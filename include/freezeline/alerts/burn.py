"""What an SLO's last hours say: firing, rising, fine, or too little to tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from include.freezeline.alerts.policy import BurnRules, BurnTier
from include.freezeline.slo.budget import Counts
from include.freezeline.slo.evidence import jeffreys_p_at_least

BurnState = Literal["FIRING", "RECOVERING", "RISING", "OK", "UNKNOWN"]


@dataclass(frozen=True, slots=True)
class BurnResult:
    """One tier of one SLO.

    Attributes:
        tier: The tier.
        factor: Burn rate from which on it fires.
        state: ``RECOVERING`` when only the long window burns, ``RISING`` when only the short one
            does, ``UNKNOWN`` without events enough.
        burn_long: Burn rate of the long window; None without events.
        burn_short: Burn rate of the short window.
        strength: 0 at a sustainable pace, 1 at the factor (of the next faster tier where the factor
            is at most 1), in between in proportion.
    """

    tier: BurnTier
    factor: Fraction
    state: BurnState
    burn_long: Fraction | None
    burn_short: Fraction | None
    strength: float


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A tier that says nothing about an SLO, and why."""

    tier: BurnTier
    reason: str


def usable_tiers(
    rules: BurnRules, limit: Fraction, compliance_h: Fraction
) -> tuple[tuple[BurnTier, ...], tuple[LeftOut, ...]]:
    """Part the tiers into those that can say something about an SLO, and the others.

    Args:
        rules: The tiers.
        limit: Allowed bad ratio.
        compliance_h: Hours of the compliance window.
    """
    found = [(tier, _why_left_out(tier, rules, limit, compliance_h)) for tier in rules.tiers]
    used = tuple(tier for tier, why in found if why is None)
    return used, tuple(LeftOut(tier, why) for tier, why in found if why is not None)


def judge_burns(
    tiers: Sequence[BurnTier],
    counts: Mapping[int, Counts],
    limit: Fraction,
    compliance_h: Fraction,
    rules: BurnRules,
) -> tuple[BurnResult, ...]:
    """Judge the usable tiers of an SLO.

    Args:
        tiers: The tiers.
        counts: Bad and all events by hours looked back.
        limit: Allowed bad ratio.
        compliance_h: Hours of the compliance window.
        rules: The evidence they need.
    """
    factors = [tier.factor(compliance_h) for tier in tiers]
    # A factor up to 1 is past at any burning; how strong that is, the next faster tier says.
    least = min((factor for factor in factors if factor > 1), default=Fraction(2))
    return tuple(
        _judge_burn(tier, factor, max(factor, least), counts, limit, rules)
        for tier, factor in zip(tiers, factors, strict=True)
    )


def _judge_burn(
    tier: BurnTier,
    factor: Fraction,
    full: Fraction,
    counts: Mapping[int, Counts],
    limit: Fraction,
    rules: BurnRules,
) -> BurnResult:
    """Judge one tier; ``full`` is the burn rate of full strength."""
    long, short = counts[tier.long_h], counts[tier.short_h]
    burn_long, burn_short = _burn(long, limit), _burn(short, limit)
    if long.n_seen < rules.min_long_events or short.n_seen < rules.min_short_events:
        return BurnResult(tier, factor, "UNKNOWN", burn_long, burn_short, 0.0)
    is_sure = jeffreys_p_at_least(*long.as_evidence, limit) >= rules.evidence
    is_long = is_sure and burn_long is not None and burn_long >= factor
    is_short = burn_short is not None and burn_short >= factor
    names: dict[tuple[bool, bool], BurnState] = {
        (True, True): "FIRING",
        (True, False): "RECOVERING",
        (False, True): "RISING",
        (False, False): "OK",
    }
    strength = _strength(burn_long, burn_short, full) if is_sure else 0.0
    return BurnResult(tier, factor, names[is_long, is_short], burn_long, burn_short, strength)


def burn_words(results: Sequence[BurnResult]) -> str:
    """Say how fast the budget burns, window by window."""
    return "; ".join(
        f"{result.tier.long_h} h {_times(result.burn_long)} and "
        f"{result.tier.short_h} h {_times(result.burn_short)} (fires at {float(result.factor):.3g})"
        for result in results
    )


def burn_details(results: Sequence[BurnResult], left_out: Sequence[LeftOut]) -> dict[str, Any]:
    """Return the numbers for the row."""
    return {
        "burn": [
            {
                "tier": result.tier.name,
                "long_h": result.tier.long_h,
                "short_h": result.tier.short_h,
                "factor": float(result.factor),
                "burn_long": _float(result.burn_long),
                "burn_short": _float(result.burn_short),
                "state": result.state,
            }
            for result in results
        ],
        "left_out": {item.tier.name: item.reason for item in left_out},
    }


def _why_left_out(
    tier: BurnTier, rules: BurnRules, limit: Fraction, compliance_h: Fraction
) -> str | None:
    """Return why a tier says nothing; None when it does."""
    factor = tier.factor(compliance_h)
    if factor * limit > 1:
        return (
            f"burning {float(factor):.3g} times too fast would take {float(factor * limit):.3g} bad "
            "events per event: it could never fire"
        )
    if factor < Fraction(str(rules.least_factor)):
        return (
            f"it would fire at {float(factor):.3g} times the sustainable pace: the SLO's window of "
            f"{float(compliance_h):g} h is too short for it"
        )
    return None


def _burn(counts: Counts, limit: Fraction) -> Fraction | None:
    """Return how many times too fast a window burned."""
    ratio = counts.ratio
    return None if ratio is None else ratio / limit


def _strength(burn_long: Fraction | None, burn_short: Fraction | None, full: Fraction) -> float:
    """Return how strongly both windows burn, as a share of the way from 1 to full strength."""
    if burn_long is None or burn_short is None or min(burn_long, burn_short) <= 1:
        return 0.0
    return float(min(Fraction(1), (burn_long - 1) / (full - 1)))


def _times(burn: Fraction | None) -> str:
    """Write a burn rate."""
    return "no events" if burn is None else f"{float(burn):.3g}x"


def _float(value: Fraction | None) -> float | None:
    """Return the nearest float; unknown stays unknown."""
    return None if value is None else float(value)
