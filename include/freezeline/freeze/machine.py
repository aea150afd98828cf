"""The freeze state machine: pure, with memory passed in and handed back.

OPEN -> WARNING -> FROZEN -> RECOVERING -> WARNING or OPEN. Releases freeze on what is surely
spent and thaw on what may still be spent, so the two never chase each other. Without data
nothing moves.
"""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from include.freezeline.contracts.judgement import FreezeState
from include.freezeline.slo.policy import FreezePolicy

__all__ = ["SEVERITY", "FreezePolicy", "Memory", "Signal", "Step", "step"]

SEVERITY: dict[FreezeState, int] = {"OPEN": 0, "WARNING": 1, "RECOVERING": 2, "FROZEN": 3}


@dataclass(frozen=True, slots=True)
class Signal:
    """What one evaluation of an SLO tells the machine.

    Attributes:
        at: Time of the evaluation.
        consumed_lower: Share of the budget surely spent.
        consumed_upper: Share that may turn out spent once pending outcomes are known.
        has_data: False, without events or with a silent outcome feed, holds the state.
        is_proven: False when the evidence is too thin to freeze on.
        is_indicated: False when the evidence is too thin even to warn on.
        is_tripped: The trip wire: the last days are above the limit although budget is left.
        is_calm: There is recent traffic and the trip wire is quiet also on the matured outcomes;
            without it a freeze does not end.
    """

    at: datetime
    consumed_lower: Fraction
    consumed_upper: Fraction
    has_data: bool = True
    is_proven: bool = True
    is_indicated: bool = True
    is_tripped: bool = False
    is_calm: bool = True


@dataclass(frozen=True, slots=True)
class Memory:
    """What the machine remembers between evaluations.

    Attributes:
        state: Current state.
        since_at: When it was entered.
        n_clean: Clean evaluations in a row while recovering.
    """

    state: FreezeState
    since_at: datetime
    n_clean: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """The memory after an evaluation and the rule that applied."""

    memory: Memory
    why: str


def step(memory: Memory, signal: Signal, policy: FreezePolicy) -> Step:
    """Advance the machine by one evaluation."""
    if not signal.has_data:
        return Step(Memory(memory.state, memory.since_at), "no_data_hold")
    if memory.state != "FROZEN" and _must_freeze(signal, policy):
        why = "trip_wire" if signal.is_tripped else "budget_exhausted"
        return Step(Memory("FROZEN", signal.at), why)
    if memory.state == "FROZEN":
        return _step_frozen(memory, signal, policy)
    if memory.state == "RECOVERING":
        return _step_recovering(memory, signal, policy)
    return _step_shipping(memory, signal, policy)


def _step_shipping(memory: Memory, signal: Signal, policy: FreezePolicy) -> Step:
    """Warn, or end the warning."""
    is_low = signal.is_indicated and signal.consumed_lower >= policy.warn_at
    if memory.state == "OPEN" and is_low:
        return Step(Memory("WARNING", signal.at), "budget_low")
    if memory.state == "WARNING" and signal.consumed_upper < policy.warn_clear:
        return Step(Memory("OPEN", signal.at), "budget_recovered")
    return Step(memory, "hold")


def _step_frozen(memory: Memory, signal: Signal, policy: FreezePolicy) -> Step:
    """Start recovering after the shortest freeze, once an evaluation is clean."""
    is_served = signal.at - memory.since_at >= policy.min_freeze
    if is_served and _is_clean(signal, policy):
        return Step(Memory("RECOVERING", signal.at, n_clean=1), "recovering")
    return Step(memory, "hold")


def _step_recovering(memory: Memory, signal: Signal, policy: FreezePolicy) -> Step:
    """Count clean evaluations; an unclean one starts the count again."""
    if not _is_clean(signal, policy):
        return Step(Memory("RECOVERING", memory.since_at), "recovery_counter_reset")
    n_clean = memory.n_clean + 1
    if n_clean < policy.clean_evaluations:
        return Step(Memory("RECOVERING", memory.since_at, n_clean), "hold")
    state: FreezeState = "WARNING" if signal.consumed_lower >= policy.warn_at else "OPEN"
    return Step(Memory(state, signal.at), "cleared")


def _must_freeze(signal: Signal, policy: FreezePolicy) -> bool:
    """Whether the budget is surely spent, or the trip wire was touched."""
    is_spent = signal.is_proven and signal.consumed_lower >= policy.freeze_at
    return is_spent or signal.is_tripped


def _is_clean(signal: Signal, policy: FreezePolicy) -> bool:
    """Whether even the pending outcomes would leave enough budget, and nothing worsens."""
    return signal.consumed_upper <= policy.recover_at and signal.is_calm and not signal.is_tripped
