"""The freeze state machine: what it must never do."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from include.freezeline.freeze.machine import FreezePolicy, Memory, Signal, Step, step

START = datetime(2026, 9, 1, tzinfo=UTC)
POLICY = FreezePolicy()


@st.composite
def _signals(draw: st.DrawFn) -> list[Signal]:
    """Draw evaluations in time order with lower <= upper."""
    signals, at = [], START
    for _ in range(draw(st.integers(1, 40))):
        at += timedelta(hours=draw(st.sampled_from([1, 12, 24, 48])))
        lower, more = draw(st.integers(0, 130)), draw(st.integers(0, 40))
        signals.append(
            Signal(
                at,
                Fraction(lower, 100),
                Fraction(lower + more, 100),
                has_data=draw(st.booleans()),
                is_proven=draw(st.booleans()),
                is_tripped=draw(st.booleans()),
                is_calm=draw(st.booleans()),
            )
        )
    return signals


def _run(signals: list[Signal], memory: Memory) -> list[Step]:
    """Run the machine over evaluations."""
    steps = []
    for signal in signals:
        steps.append(step(memory, signal, POLICY))
        memory = steps[-1].memory
    return steps


@given(_signals())
def test_frozen_never_opens_without_recovering_when_signals_are_arbitrary(
    signals: list[Signal],
) -> None:
    states = ["FROZEN", *(s.memory.state for s in _run(signals, Memory("FROZEN", START)))]
    pairs = set(pairwise(states))
    assert pairs
    assert not pairs & {("FROZEN", "OPEN"), ("FROZEN", "WARNING")}


@given(_signals(), st.sampled_from(["OPEN", "WARNING", "FROZEN", "RECOVERING"]))
def test_state_is_held_when_there_is_no_data(signals: list[Signal], state: str) -> None:
    blind = [replace(signal, has_data=False) for signal in signals]
    steps = _run(blind, Memory(state, START, n_clean=2))  # type: ignore[arg-type]
    assert {item.memory.state for item in steps} == {state}
    assert {item.memory.since_at for item in steps} == {START}
    assert steps[-1].memory.n_clean == 0


@given(_signals())
def test_replaying_from_any_memory_reproduces_the_rest_when_split(signals: list[Signal]) -> None:
    whole = _run(signals, Memory("OPEN", START))
    cut = len(signals) // 2
    before = whole[cut - 1].memory if cut else Memory("OPEN", START)
    assert _run(signals[cut:], before) == whole[cut:]


@given(_signals())
def test_freeze_lasts_a_day_and_three_clean_evaluations_when_it_ends(
    signals: list[Signal],
) -> None:
    memory = Memory("FROZEN", START)
    for signal in signals:
        moved = step(memory, signal, POLICY).memory
        if moved.state == "RECOVERING" and memory.state == "FROZEN":
            assert signal.at - memory.since_at >= timedelta(hours=24)
        if memory.state == "RECOVERING" and moved.state in ("OPEN", "WARNING"):
            assert memory.n_clean == 2
            assert signal.consumed_upper <= POLICY.recover_at
        memory = moved


@given(_signals())
def test_proven_spent_budget_always_ends_frozen_when_it_is_last(signals: list[Signal]) -> None:
    last = Signal(signals[-1].at + timedelta(hours=24), Fraction(1), Fraction(1))
    assert _run([*signals, last], Memory("OPEN", START))[-1].memory.state == "FROZEN"


def test_thin_evidence_warns_but_never_freezes_when_budget_is_overspent() -> None:
    signal = Signal(START, Fraction(7), Fraction(7), is_proven=False)
    assert step(Memory("OPEN", START), signal, POLICY).memory.state == "WARNING"
    hint = replace(signal, is_indicated=False)
    assert step(Memory("OPEN", START), hint, POLICY).memory.state == "OPEN"


def test_trip_wire_freezes_when_budget_is_left() -> None:
    signal = Signal(START, Fraction(1, 2), Fraction(1, 2), is_tripped=True)
    moved = step(Memory("OPEN", START), signal, POLICY)
    assert (moved.memory.state, moved.why) == ("FROZEN", "trip_wire")
