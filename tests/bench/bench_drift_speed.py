"""Seconds of the drift tests by size, and of the same permutations through alibi-detect.

``python -m tests.bench.bench_drift_speed [--alibi PYTHON] [--quick]`` times the whole conditional
test on made-up answers with their embeddings given, and our maximum mean discrepancy beside
alibi-detect's, which runs in an environment of its own (``make .venv/alibi/.installed``). One core;
the median of several runs, CPU seconds because machines are noisy.
"""

import argparse
import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from include.freezeline.stats.combination import AnswerSample, conditional_combination_test
from include.freezeline.stats.mmd import mmd_test
from include.freezeline.stats.paired import paired_combination_test
from include.freezeline.stats.prompts import topic_strata
from tests.unit.stats.texts import make_window

SIZES, COLUMNS, PERMUTATIONS, RUNS = (100, 200, 400, 800, 1600), 384, 499, 3
QUICK_SIZES = (50,)
_SENTENCES = 4  # answers are made longer, to the 800 characters of usual ones
_ALIBI = Path(".venv/alibi/bin/python")


def cpu_s(work: Callable[[], object], n_runs: int) -> float:
    """Return the median CPU seconds of a call."""
    spent = []
    for _ in range(n_runs):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return statistics.median(spent)


def unit_rows(n: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return random rows of length 1."""
    rows = rng.normal(size=(n, COLUMNS)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def make_sample(n: int) -> AnswerSample:
    """Return n + n answers of one model with embeddings."""
    rng = np.random.default_rng(n)
    prompts, texts = make_window(2 * n, rng)
    parts = [make_window(2 * n, rng)[1] for _ in range(_SENTENCES - 1)]
    texts = [" ".join(pieces) for pieces in zip(texts, *parts, strict=True)]
    return AnswerSample(
        texts=texts,
        is_current=np.arange(2 * n) >= n,
        prompts=prompts,
        embeddings=unit_rows(2 * n, rng),
        prompt_embeddings=unit_rows(2 * n, rng),
        strata=topic_strata(prompts),
    )


def show_sizes(sizes: tuple[int, ...], n_runs: int) -> None:
    """Print seconds by size; twice the answers should cost four times as much at most."""
    print(f"| n + n | characters | conditional s | paired s | MMD s |, {PERMUTATIONS} permutations")
    for n in sizes:
        sample = make_sample(n)
        length = statistics.mean(map(len, sample.texts))
        texts = list(sample.texts)
        rows = sample.embeddings
        assert rows is not None
        shared = {"seed": 1, "n_permutations": PERMUTATIONS}
        works = (
            partial(conditional_combination_test, sample, **shared, n_refined=PERMUTATIONS),
            partial(
                paired_combination_test, texts[:n], texts[n:], **shared, n_refined=PERMUTATIONS
            ),
            partial(mmd_test, rows[:n], rows[n:], **shared),
        )
        cells = " | ".join(f"{cpu_s(work, n_runs):.2f}" for work in works)
        print(f"| {n} | {length:.0f} | {cells} |", flush=True)


def compare_with_alibi(python: Path, n: int, n_runs: int) -> None:
    """Print how many times as long alibi-detect takes for the same permutations."""
    if not python.exists():
        print(f"alibi-detect: not installed at {python}, left out (make .venv/alibi/.installed)")
        return
    script = Path(__file__).with_name("alibi_mmd.py")
    words = [str(python), str(script), str(n), str(COLUMNS), str(PERMUTATIONS)]
    clean = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"OMP_NUM_THREADS": "1"}
    found = subprocess.run(words, env=clean, capture_output=True, text=True, check=True)  # noqa: S603 - our script
    theirs = json.loads(found.stdout.splitlines()[-1])
    rows = unit_rows(2 * n, np.random.default_rng(0))
    ours = cpu_s(lambda: mmd_test(rows[:n], rows[n:], seed=1, n_permutations=PERMUTATIONS), n_runs)
    print(f"MMD, {n} + {n}, {PERMUTATIONS} permutations: alibi-detect {theirs['cpu_s']:.2f} CPU s, ours {ours:.3f}: {theirs['cpu_s'] / ours:.1f} times as long")  # fmt: skip


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alibi", type=Path, default=_ALIBI, help="python of its environment")
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    sizes, n_runs = (QUICK_SIZES, 1) if given.quick else (SIZES, RUNS)
    show_sizes(sizes, n_runs)
    compare_with_alibi(given.alibi, min(400, max(sizes)), n_runs)


if __name__ == "__main__":
    main()
