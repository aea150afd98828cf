"""Who spent the budget: excess over the own share, never mere share of the bad events."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from include.freezeline.slo.budget import Counts
from include.freezeline.slo.methods import share_of


@dataclass(frozen=True, slots=True)
class Contribution:
    """One value of a dimension and what it did to the budget.

    Attributes:
        value: Value of the dimension.
        counts: Its known bad and all events.
        budget_share: Part of the whole budget it spent; the parts add up to the consumed share.
        excess_bad: Bad events beyond what the limit allows on its own traffic; adds up to the
            overspend.
        consumed_without: Consumed share of the rest.
    """

    value: str
    counts: Counts
    budget_share: Fraction | None
    excess_bad: Fraction
    consumed_without: Fraction | None


@dataclass(frozen=True, slots=True)
class Change:
    """How a value moved the overall bad ratio since the previous period; the effects add up."""

    value: str
    rate_effect: Fraction
    mix_effect: Fraction


def attribute(groups: Mapping[str, Counts], limit: Fraction) -> tuple[Contribution, ...]:
    """Split a budget over the values of a dimension, largest excess first.

    Args:
        groups: Counts by value.
        limit: Allowed bad ratio.
    """
    n_bad = sum(group.n_bad for group in groups.values())
    n_all = sum(group.n_all for group in groups.values())
    found = [
        Contribution(
            value,
            group,
            share_of(group.n_bad, limit * n_all),
            group.n_bad - limit * group.n_all,
            share_of(n_bad - group.n_bad, limit * (n_all - group.n_all)),
        )
        for value, group in groups.items()
    ]
    return tuple(sorted(found, key=lambda item: (-item.excess_bad, item.value)))


def explain_change(
    previous: Mapping[str, Counts], current: Mapping[str, Counts]
) -> tuple[Change, ...]:
    """Split the change of the overall bad ratio into rate and mix effects per value.

    A value without previous traffic is compared with the previous overall ratio; one without
    current traffic keeps its previous ratio.
    """
    n_before = sum(group.n_all for group in previous.values())
    n_now = sum(group.n_all for group in current.values())
    if n_before == 0 or n_now == 0:
        return ()
    overall = Fraction(sum(group.n_bad for group in previous.values()), n_before)
    nothing = Counts(0, 0)
    changes = []
    for value in sorted(previous.keys() | current.keys()):
        old, new = previous.get(value, nothing), current.get(value, nothing)
        old_ratio = overall if old.ratio is None else old.ratio
        new_ratio = old_ratio if new.ratio is None else new.ratio
        old_share, new_share = Fraction(old.n_all, n_before), Fraction(new.n_all, n_now)
        rate_effect = (new_ratio - old_ratio) * (old_share + new_share) / 2
        mix_effect = (new_share - old_share) * (old_ratio + new_ratio) / 2
        changes.append(Change(value, rate_effect, mix_effect))
    return tuple(changes)
