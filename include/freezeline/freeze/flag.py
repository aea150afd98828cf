"""A feature's flag in an environment: the worst of its SLOs, with memory for the next night."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from include.freezeline.contracts.judgement import FreezeState
from include.freezeline.freeze.machine import (
    SEVERITY,
    FreezePolicy,
    Memory,
    Signal,
    Step,
    step,
)
from include.freezeline.slo.evaluation import Evaluation
from include.freezeline.slo.wording import explain

_WHY = {
    "budget_exhausted": "the error budget is spent",
    "trip_wire": "the trip wire was touched",
    "budget_low": "little budget is left",
    "recovering": "the shortest freeze is over and the budget recovers",
    "recovery_counter_reset": "not clean yet; the recovery starts again",
    "no_data_hold": "the state is held",
    "cleared": "three clean evaluations in a row",
    "budget_recovered": "there is budget again",
}


@dataclass(frozen=True, slots=True)
class Judged:
    """An SLO's evaluation and what its state machine made of it; None for SLOs that only warn."""

    evaluation: Evaluation
    step: Step | None

    @property
    def state(self) -> FreezeState:
        """State the SLO asks for; one that only warns leaves releases open."""
        return "OPEN" if self.step is None else self.step.memory.state


@dataclass(frozen=True, slots=True)
class Flag:
    """The flag of one feature in one environment.

    Attributes:
        feature: Feature.
        environment: Environment.
        as_of: Exclusive end of what was known.
        state: Worst state of its SLOs.
        since_at: When it was entered.
        judged: Every SLO, worst first.
        memory: State machine memory by SLO name, of removed SLOs too.
        reason: Why, in words.
        slo_name: The SLO that decided; None without SLOs.
        why: The state machine's rule.
    """

    feature: str
    environment: str
    as_of: datetime
    state: FreezeState
    since_at: datetime
    judged: tuple[Judged, ...]
    memory: Mapping[str, Memory]
    reason: str
    slo_name: str | None
    why: str

    @property
    def is_frozen(self) -> bool:
        """Whether feature changes may not ship."""
        return self.state in ("FROZEN", "RECOVERING")


@dataclass(frozen=True, slots=True)
class Past:
    """What is remembered of a subject: its state, since when, and the memory of each SLO."""

    state: FreezeState
    since_at: datetime
    memory: Mapping[str, Memory]


def signal_of(evaluation: Evaluation) -> Signal:
    """Return what an evaluation tells the state machine."""
    return Signal(
        at=evaluation.as_of,
        consumed_lower=evaluation.consumed_lower,
        consumed_upper=evaluation.nowcast_upper,
        has_data=evaluation.has_data,
        is_proven=evaluation.is_proven,
        is_indicated=evaluation.is_indicated,
        is_tripped=evaluation.is_tripped,
        is_calm=evaluation.is_calm,
    )


def plan_flag(
    feature: str,
    environment: str,
    as_of: datetime,
    evaluations: Sequence[Evaluation],
    past: Past | None,
) -> Flag:
    """Advance every SLO's machine and combine them: the worst wins, all are listed.

    A freezing SLO that no longer exists is not forgotten at once; its machine thaws through
    RECOVERING, so that deleting a file never opens a frozen release.
    """
    past = past or Past("OPEN", as_of, {})
    judged = tuple(sorted((_judge(item, past, as_of) for item in evaluations), key=_rank))
    memory = {
        item.evaluation.slo.name: item.step.memory for item in judged if item.step is not None
    }
    removed = _thaw_removed(past, memory, as_of)
    memory.update(removed)
    states: list[FreezeState] = ["OPEN", *(item.state for item in memory.values())]
    state = max(states, key=SEVERITY.__getitem__)
    since_at = past.since_at if state == past.state else as_of
    reason, slo_name, why = _explain(judged, removed, state)
    return Flag(
        feature,
        environment,
        as_of,
        state,
        since_at,
        judged,
        dict(sorted(memory.items())),
        reason,
        slo_name,
        why,
    )


def _judge(evaluation: Evaluation, past: Past, as_of: datetime) -> Judged:
    """Advance one SLO's machine."""
    if evaluation.slo.consequence != "freeze":
        return Judged(evaluation, None)
    before = past.memory.get(evaluation.slo.name, Memory("OPEN", as_of))
    return Judged(evaluation, step(before, signal_of(evaluation), evaluation.slo.policy))


def _thaw_removed(past: Past, current: Mapping[str, Memory], as_of: datetime) -> dict[str, Memory]:
    """Advance the machines of SLOs that are gone, as if clean, until they are open."""
    clean = Signal(as_of, Fraction(0), Fraction(0))
    thawing = {
        name: step(before, clean, FreezePolicy()).memory
        for name, before in past.memory.items()
        if name not in current
    }
    return {name: memory for name, memory in thawing.items() if memory.state != "OPEN"}


def _rank(judged: Judged) -> tuple[int, bool, Fraction, str]:
    """Sort worst first: by state, those that freeze before those that warn, by spent share."""
    evaluation = judged.evaluation
    name, only_warns = evaluation.slo.name, judged.step is None
    return (-SEVERITY[judged.state], only_warns, -evaluation.consumed_lower, name)


def _explain(
    judged: Sequence[Judged], removed: Mapping[str, Memory], state: FreezeState
) -> tuple[str, str | None, str]:
    """Return the reason in words, the SLO that decided and its rule."""
    worst = next((item for item in judged if item.step is not None), None)
    if worst is not None and worst.step is not None and worst.state == state:
        name = worst.evaluation.slo.name
        words = f"{name}: {explain(worst.evaluation)}"
        rule = _WHY.get(worst.step.why)
        return (f"{words} ({rule})" if rule else words), name, worst.step.why
    if removed:
        names = ", ".join(sorted(removed))
        return f"{names}: no longer defined, thawing through recovery", None, "slo_removed"
    return "no SLO of this feature stops releases", None, "no_freezing_slo"
