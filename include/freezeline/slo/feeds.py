"""Outcome feeds: a feed that stopped delivering must never read as "nothing bad happened"."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from include.freezeline.slo.catalogue import Slo

Arrivals = Mapping[str, Sequence[datetime]]
"""When objects of a fact landed, ascending, by the fact's name."""


@dataclass(frozen=True, slots=True)
class Silence:
    """A fact whose files stopped landing for longer than its SLO allows.

    Attributes:
        fact: Name of the fact.
        landed_at: When its last file arrived; None when none is known to have landed.
    """

    fact: str
    landed_at: datetime | None

    def explain(self) -> str:
        """Say what is missing and what that means."""
        if self.landed_at is None:
            return f"no {self.fact} file is known to have landed; calls without one are not good"
        since = f"{self.landed_at.astimezone(UTC):%Y-%m-%d %H:%M}Z"
        return f"no {self.fact} file has landed since {since}; calls without one are not good"


def find_silence(slo: Slo, arrivals: Arrivals, as_of: datetime) -> Silence | None:
    """Return the silence of an SLO's fact at a moment.

    Args:
        slo: The SLO.
        arrivals: Arrivals of landed objects; those at or after ``as_of`` are not looked at.
        as_of: Exclusive end of what is known.

    Returns:
        None when a file arrived within the allowed silence, or the SLO depends on no fact.
    """
    if slo.fact is None:
        return None
    landed = arrivals.get(slo.fact, ())
    n_known = bisect_left(landed, as_of)
    newest = landed[n_known - 1] if n_known else None
    if newest is not None and as_of - newest <= slo.fact_silence:
        return None
    return Silence(slo.fact, newest)
