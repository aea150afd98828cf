"""How often do budgets freeze by mistake, and how fast do they freeze when they must?

``python -m tests.bench.bench_slo [--runs N | --quick]`` simulates 28 nightly looks after a quiet fortnight.
False freezes: true bad ratio at 40% of the limit. Delay: the ratio jumps to 2 and 4 times the
limit on the first night. The limit is 5%, outcomes are known with the event.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from include.freezeline.freeze.flag import signal_of
from include.freezeline.freeze.machine import FreezePolicy, Memory, step
from include.freezeline.slo.catalogue import Slo, load_slo
from include.freezeline.slo.evaluation import evaluate
from include.freezeline.slo.events import NEVER_US, Events
from include.freezeline.slo.windows import DAY_US, to_us

START = datetime(2026, 1, 1, tzinfo=UTC)
QUIET_DAYS = 14
LOOKS = 28
VOLUMES = (20, 50, 200, 1_000, 5_000)
FACTORS = (0.4, 2.0, 4.0)
QUICK_RUNS = 5


@dataclass(frozen=True, slots=True)
class Outcome:
    """Share of runs that froze, and the median night they did (None when fewer than half)."""

    n_daily: int
    factor: float
    frozen_ratio: float
    median_days: float | None


def simulate(n_runs: int, volumes: tuple[int, ...] = VOLUMES) -> Iterator[Outcome]:
    """Yield the outcome of every volume and factor."""
    slo = load_slo(Path("include/config/slos/support-escalation.yml"))
    for n_daily in volumes:
        for factor in FACTORS:
            nights = [_first_freeze(slo, n_daily, factor, seed) for seed in range(n_runs)]
            frozen = sorted(night for night in nights if night is not None)
            is_most = 2 * len(frozen) > n_runs
            yield Outcome(
                n_daily,
                factor,
                len(frozen) / n_runs,
                frozen[n_runs // 2] if is_most and len(frozen) > n_runs // 2 else None,
            )


def _first_freeze(slo: Slo, n_daily: int, factor: float, seed: int) -> int | None:
    """Return the night a run freezes first; None when it never does."""
    events = _draw(float(slo.objective.limit), n_daily, factor, seed)
    memory = Memory("OPEN", START)
    policy = FreezePolicy()
    for night in range(1, LOOKS + 1):
        at = START + timedelta(days=QUIET_DAYS + night)
        evaluation = evaluate(slo, events, "f", "production", at, with_worst=False)
        memory = step(memory, signal_of(evaluation), policy).memory
        if memory.state == "FROZEN":
            return night
    return None


def _draw(limit: float, n_daily: int, factor: float, seed: int) -> Events:
    """Draw Poisson traffic: quiet at 40% of the limit first, then at the factor."""
    rng = np.random.default_rng([seed, n_daily, round(factor * 10)])
    days = QUIET_DAYS + LOOKS
    at_us = np.sort(rng.integers(0, days * DAY_US, size=rng.poisson(n_daily * days)))
    ratio = np.where(at_us < QUIET_DAYS * DAY_US, 0.4 * limit, factor * limit)
    is_bad = rng.random(len(at_us)) < ratio
    at_us = at_us + to_us(START)
    return Events.of(at_us, np.where(is_bad, at_us, NEVER_US))


def main(arguments: list[str]) -> int:
    """Print the table; fail when quiet products freeze more often than in 1% of the runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--quick", action="store_const", const=QUICK_RUNS, dest="runs")
    n_runs: int = parser.parse_args(arguments).runs
    print(f"{n_runs} runs each, limit 5%, {LOOKS} nightly looks")
    print("events/day  true ratio   frozen  median nights to freeze")
    worst = 0.0
    for found in simulate(n_runs):
        delay = "-" if found.median_days is None else f"{found.median_days:.0f}"
        print(
            f"{found.n_daily:>10}  {found.factor:>4.1f} x limit  {found.frozen_ratio:>6.1%}  {delay}"
        )
        if found.factor < 1:
            worst = max(worst, found.frozen_ratio)
    print(f"highest false freeze ratio {worst:.1%} (allowed 1.0%)")
    return 0 if worst <= 0.01 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
