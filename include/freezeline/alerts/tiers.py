"""How urgent: the composite score of a feature, and the tier of each of its signals."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from include.freezeline.alerts.policy import TIERS, AlertPolicy, Family
from include.freezeline.alerts.signals import Signal
from include.freezeline.contracts.judgement_alerts import AlertTier


@dataclass(frozen=True, slots=True)
class Composite:
    """What the families of a feature say together.

    Attributes:
        score: 1 - product of (1 - weight x strength); None when nothing could be judged.
        strengths: Strength of each family that has one, strongest signal.
        tier: Tier of several families at once; None for one family or a low score.
    """

    score: float | None
    strengths: Mapping[Family, float]
    tier: AlertTier | None


def composite_of(signals: Sequence[Signal], policy: AlertPolicy) -> Composite:
    """Combine the signals of one feature."""
    known = [signal for signal in signals if signal.state != "UNKNOWN"]
    if not known:
        return Composite(None, {}, None)
    strengths: dict[Family, float] = {}
    for signal in known:
        strengths[signal.family] = max(strengths.get(signal.family, 0.0), signal.strength)
    score = _score(strengths, policy)
    active = {family: strength for family, strength in sorted(strengths.items()) if strength > 0}
    return Composite(score, active, _composite_tier(score, len(active), policy))


def tier_of(signal: Signal, composite: Composite, policy: AlertPolicy) -> AlertTier | None:
    """Return how urgent a signal is; None when nothing is wrong.

    A family rises above P2 only with another one beside it, unless it may lead; one metric may be
    noise. Safety and complete failure are P0 whatever else is well.
    """
    if not signal.is_active:
        return None
    if signal.state == "CRITICAL":
        return "P0"
    tier = _own_tier(signal, composite, policy)
    return tier if signal.at_most is None else max(tier, signal.at_most, key=TIERS.index)


def _own_tier(signal: Signal, composite: Composite, policy: AlertPolicy) -> AlertTier:
    """Return the tier of a signal that is active and not critical."""
    family = policy.families[signal.family]
    others = [name for name in composite.strengths if name != signal.family]
    is_leading = signal.family in ("outcome", "errors", "quality")
    if signal.state == "FAST" and is_leading and (family.may_lead or others):
        return "P1"
    own_score = family.weight * signal.strength
    if signal.state in ("FAST", "SLOW") or own_score >= policy.tiers.p2_composite:
        return "P2"
    return "P3"


def _score(strengths: Mapping[Family, float], policy: AlertPolicy) -> float:
    """Return the composite score."""
    left = math.prod(
        1.0 - policy.families[family].weight * strength for family, strength in strengths.items()
    )
    return round(1.0 - left, 12)


def _composite_tier(score: float, n_families: int, policy: AlertPolicy) -> AlertTier | None:
    """Return the tier of several families at once."""
    rules = policy.tiers
    if n_families < 2:
        return None
    if score >= rules.p1_composite and n_families >= rules.p1_families:
        return "P1"
    return "P2" if score >= rules.p2_composite else None
