"""Power and false alarms of the drift test, beside what people usually do.

``python -m tests.bench.bench_drift`` asks made-up answers; with ``--data FOLDER`` those of real
model versions (``alpaca_*.parquet``, and ``llmdrift_*.parquet`` for the months of one model).
``--trials`` sets the windows of a cell; ``--quick`` runs so few that only the program is tested.

A method keeps its level when its rate on quiet windows (mix 0, and a change of the input alone) is
not above 5% beyond chance. Those that do not are shown and not compared: what always alarms sees
everything.
"""

import argparse
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy import stats

from include.freezeline.adapters.embedding_cache import EmbeddingCache
from include.freezeline.adapters.embedding_choice import RuntimeChoice
from include.freezeline.adapters.embeddings import SentenceEmbedder
from include.freezeline.settings import Settings
from include.freezeline.stats.paired import paired_combination_test
from include.freezeline.stats.proportions import jeffreys_interval
from tests.bench.drift_rivals import LEVEL, METHODS, OURS, REPLICATED, methods_for
from tests.bench.drift_worlds import PROTOCOLS, MadeUpWorld, RealWorld, Trial
from tests.conformance.drift import score

SIZES, MIXES, TRIALS = (50, 100, 200, 400), (0.0, 0.1, 0.25, 0.5, 1.0), 100
QUICK = {"sizes": [30], "mixes": [0.0, 1.0], "trials": 2}
_COMPARED_MIX = 0.25
_BLOCK = 20


@dataclass(frozen=True, slots=True)
class Cell:
    """Rates of all methods in one cell.

    Attributes:
        protocol: How windows are made.
        n: Answers in a window.
        mix: Share of another model.
        n_trials: Windows.
        n_alarms: By method.
        cpu_s: Seconds by method.
    """

    protocol: str
    n: int
    mix: float
    n_trials: int
    n_alarms: dict[str, int]
    cpu_s: dict[str, float]

    @property
    def is_quiet(self) -> bool:
        """Whether every alarm is a false one."""
        return self.mix == 0.0

    @property
    def n_ours(self) -> int:
        """Alarms of ours: of the test that the nightly asks where the data allow it."""
        return self.n_alarms.get(REPLICATED, self.n_alarms[OURS])


def measure(world: MadeUpWorld | RealWorld, protocol: str, n: int, mix: float, n_trials: int) -> Cell:  # fmt: skip
    """Run all methods on the windows of a cell, in two processes."""
    alarms: Counter[str] = Counter()
    spent: dict[str, float] = defaultdict(float)
    trials = world.trials(protocol, n, mix, n_trials)
    done = 0
    with ProcessPoolExecutor(2) as pool:
        while block := list(islice(trials, _BLOCK)):
            for answers in pool.map(_ask_all, block, range(done, done + len(block))):
                for name, (is_alarm, cpu_s) in answers.items():
                    alarms[name] += is_alarm
                    spent[name] += cpu_s
            done += len(block)
    return Cell(protocol, n, mix, done, dict(alarms), dict(spent))


def _ask_all(trial: Trial, seed: int) -> dict[str, tuple[bool, float]]:
    """Return every method's alarm and its CPU seconds."""
    found = {}
    for name, method in methods_for(trial).items():
        began = time.process_time()
        is_alarm = method(trial, seed)
        found[name] = (is_alarm, time.process_time() - began)
    return found


def show(cell: Cell) -> None:
    """Print a cell as rows of the table."""
    for name, n_alarms in cell.n_alarms.items():
        low, high = jeffreys_interval(n_alarms, cell.n_trials) or (0.0, 1.0)
        spent_ms = 1000.0 * cell.cpu_s[name] / cell.n_trials
        print(
            f"| {cell.protocol} | {cell.n} | {cell.mix} | {name} | {n_alarms / cell.n_trials:.2f} "
            f"| {low:.2f}-{high:.2f} | {spent_ms:.0f} |",
            flush=True,
        )


def keeps_level(name: str, cells: Sequence[Cell]) -> bool:
    """Whether a method's alarms on all quiet windows are within chance of the level."""
    quiet = [cell for cell in cells if cell.is_quiet and name in cell.n_alarms]
    n_alarms, n = sum(c.n_alarms[name] for c in quiet), sum(c.n_trials for c in quiet)
    return n == 0 or bool(stats.binomtest(n_alarms, n, LEVEL, alternative="greater").pvalue > 0.01)


def conclude(cells: Sequence[Cell]) -> None:
    """Print who keeps the level, and where ours is behind one that does not always alarm."""
    honest = [name for name in METHODS if name != REPLICATED and keeps_level(name, cells)]
    print(f"\nkeep the level of {LEVEL:.0%}: {', '.join(honest) or 'none'}")
    judged = [cell for cell in cells if cell.mix >= _COMPARED_MIX]
    n_led = sum(all(cell.n_alarms[name] <= cell.n_ours for name in honest) for cell in judged)
    behind = [
        f"{cell.protocol} n={cell.n} mix={cell.mix}: {name} {cell.n_alarms[name]} against {cell.n_ours} of {cell.n_trials}"
        for cell in judged
        for name in METHODS
        if cell.n_alarms.get(name, 0) > cell.n_ours and cell.n_alarms[name] < cell.n_trials
    ]
    print(f"{OURS} is ahead or level in {n_led} of {len(judged)} cells with mix of {_COMPARED_MIX} and more")  # fmt: skip
    for line in behind:
        print(f"  behind in {line}")


def months(folder: Path) -> Iterator[str]:
    """Yield a line per task: March against June, and March against itself."""
    for path in sorted(folder.glob("llmdrift_*.parquet")):
        frame = pq.read_table(path).to_pandas()
        for task, rows in frame.groupby("task"):
            pairs = rows.pivot_table(index="prompt_id", columns="model", values="response", aggfunc="first").dropna()  # fmt: skip
            old, new = (pairs[name].tolist() for name in sorted(pairs.columns)[:2])
            result = paired_combination_test(old, new, seed=1, n_refined=499)
            asked = rows.drop_duplicates("prompt_id").set_index("prompt_id")["prompt"][pairs.index]
            quiet = [_halves(old, asked.tolist(), seed) for seed in range(20)]
            n_alarms = sum(p_value <= LEVEL for p_value in quiet)
            print_p = "not computed" if result.p_value is None else f"p = {result.p_value:.3f}"
            yield f"| {task} | {len(old)} | {print_p} | {n_alarms} of {len(quiet)} |"


def _halves(texts: list[str], prompts: list[str], seed: int) -> float:
    """Return the p-value of one half of the answers against the other."""
    order = np.random.default_rng(seed).permutation(len(texts))[:400]
    first, second = order[: len(order) // 2], order[len(order) // 2 :]
    parts = [[values[i] for i in part] for values in (texts, prompts) for part in (first, second)]
    return score(*parts, seed=seed)


def _embedder(cache: Path) -> Callable[[Sequence[str]], NDArray[np.float32]]:
    """Return the product's embedder with a cache of its own."""
    tell = partial(print, file=sys.stderr)
    choice = RuntimeChoice(Settings(home=cache.parent), tell)
    return SentenceEmbedder(choice, EmbeddingCache(cache), tell)


def main() -> None:
    """Print rates with their intervals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of real answers")
    parser.add_argument("--cache", type=Path, default=Path(".freezeline/cache/bench_drift.sqlite"))
    parser.add_argument("--words", action="store_true", help="no embeddings: words stand for them")
    parser.add_argument("--trials", type=int)
    parser.add_argument("--sizes", type=int, nargs="+")
    parser.add_argument("--mixes", type=float, nargs="+")
    parser.add_argument("--protocols", nargs="+", choices=PROTOCOLS, default=list(PROTOCOLS))
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    whole = QUICK if given.quick else {"sizes": SIZES, "mixes": MIXES, "trials": TRIALS}
    sizes, mixes = given.sizes or whole["sizes"], given.mixes or whole["mixes"]
    embed = None if given.words else _embedder(given.cache)
    world = RealWorld(given.data, embed) if given.data else MadeUpWorld()
    print(f"{world.name}, level {LEVEL:.0%}")
    print("| protocol | n | mix | method | alarms | 95% interval | CPU ms |\n|---|---|---|---|---|---|---|")  # fmt: skip
    cells = []
    for protocol in given.protocols:
        for n in sizes:
            for mix in mixes if protocol != "input_mix" else [0.0]:
                cells.append(measure(world, protocol, n, mix, given.trials or whole["trials"]))
                show(cells[-1])
    conclude(cells)
    if given.data:
        print("\n| task | pairs | March against June | March against itself |\n|---|---|---|---|")
        for line in months(given.data):
            print(line, flush=True)


if __name__ == "__main__":
    main()
