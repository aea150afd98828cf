"""What one budget alone would ask for, given the state before it."""

from dataclasses import dataclass
from fractions import Fraction

from include.freezeline.contracts.judgement import FreezeState
from include.freezeline.slo.budget import Budget

WARN_AT = Fraction(3, 4)
SURE_P = 0.99


@dataclass(frozen=True, slots=True)
class Decision:
    """A freeze state and the rule that chose it."""

    state: FreezeState
    reason: str


def is_proven(budget: Budget, sure_p: float = SURE_P) -> bool:
    """Whether the counts suffice to freeze: volume enough, or overwhelming evidence."""
    evidence = budget.evidence
    return not evidence.is_low_volume or (evidence.p_breach or 0.0) >= sure_p


def decide_alone(
    budget: Budget, previous: FreezeState = "OPEN", warn_at: Fraction = WARN_AT
) -> Decision:
    """Decide from one budget without memory of earlier evaluations.

    Args:
        budget: The budget.
        previous: State to hold while nothing, or not enough, is known.
        warn_at: Share of the budget from which to warn.
    """
    if budget.counts.n_all == 0:
        return Decision(previous, "no_data_hold")
    if budget.bounds == "BREACH":
        if is_proven(budget):
            return Decision("FROZEN", "budget_exhausted")
        return Decision("WARNING", "insufficient_evidence")
    if budget.bounds == "PENDING":
        return Decision(_while_pending(budget, previous, warn_at), "pending_labels_provisional")
    if budget.is_broken_24h:
        return Decision("WARNING", "breach_24h_now")
    if _is_at_least(budget.consumed_upper, warn_at):
        return Decision("WARNING", "budget_low")
    return Decision("OPEN", "within_budget")


def _while_pending(budget: Budget, previous: FreezeState, warn_at: Fraction) -> FreezeState:
    """Hold a state that is not open; otherwise judge by what is surely spent."""
    if previous != "OPEN":
        return previous
    return "WARNING" if _is_at_least(budget.consumed, warn_at) else "OPEN"


def _is_at_least(consumed: Fraction | None, share: Fraction) -> bool:
    """Compare a consumed share; None stands for an overspent budget of zero."""
    return consumed is None or consumed >= share
