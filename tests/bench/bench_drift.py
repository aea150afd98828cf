"""Power and level of the drift tests beside what people usually do.

Run ``python -m tests.bench.bench_drift`` for made-up answers, or with ``--data FOLDER`` for the
answers of real model versions (alpaca_*.parquet). ``--trials`` sets how many windows per cell;
``--quick`` runs so few that only the program is tested, the rates mean nothing then.
"""

import argparse
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from include.freezeline.stats.combination import AnswerSample, conditional_combination_test
from include.freezeline.stats.divergence import divergence_test, kl_divergence
from include.freezeline.stats.mmd import mmd_test
from include.freezeline.stats.permutation import shared_strata
from include.freezeline.stats.proportions import jeffreys_interval
from include.freezeline.stats.vocabulary import tf_idf, topic_groups, word_counts
from tests.unit.stats.texts import make_window

LEVEL = 0.05
QUICK_TRIALS = 2
PAIRS = (
    ("gpt-3.5-turbo-0301", "gpt-3.5-turbo-0613"),
    ("gpt-3.5-turbo-0613", "gpt-3.5-turbo-1106"),
    ("claude", "claude-2"),
    ("claude-2", "claude-2.1"),
    ("vicuna-13b-v1.3", "vicuna-13b-v1.5"),
    ("llama-2-70b-chat-hf", "llama-2-7b-chat-hf"),
    ("zephyr-7b-alpha", "zephyr-7b-beta"),
    ("tulu-2-dpo-7b", "tulu-2-dpo-13b"),
    ("wizardlm-13b-v1.1", "wizardlm-13b-v1.2"),
)


@dataclass(frozen=True, slots=True)
class Trial:
    """Two windows of answers."""

    texts: list[str]
    prompts: list[str]
    is_current: np.ndarray


def combination(trial: Trial, seed: int) -> bool:
    """Ours: conditional combination inside topics."""
    strata = topic_groups(trial.prompts, 8)
    keep = shared_strata(trial.is_current, strata)
    sample = AnswerSample(
        texts=[text for text, kept in zip(trial.texts, keep, strict=True) if kept],
        is_current=trial.is_current[keep],
        prompts=[prompt for prompt, kept in zip(trial.prompts, keep, strict=True) if kept],
        strata=strata[keep],
    )
    result = conditional_combination_test(sample, seed=seed, n_refined=499)
    assert result.p_value is not None
    return result.p_value <= LEVEL


def divergence(trial: Trial, seed: int) -> bool:
    """Ours: KL divergence of words, openings and lengths with permutation inside topics."""
    strata = topic_groups(trial.prompts, 8)
    keep = shared_strata(trial.is_current, strata)
    texts = [text for text, kept in zip(trial.texts, keep, strict=True) if kept]
    result = divergence_test(
        texts, trial.is_current[keep], seed=seed, strata=strata[keep], n_refined=499
    )
    assert result.p_value is not None
    return result.p_value <= LEVEL


def word_mmd(trial: Trial, seed: int) -> bool:
    """Maximum mean discrepancy of word vectors with permutation, unconditional."""
    rows = tf_idf(trial.texts, 384)
    result = mmd_test(rows[~trial.is_current], rows[trial.is_current], seed=seed)
    assert result.p_value is not None
    return result.p_value <= LEVEL


def fixed_cosine(trial: Trial, _seed: int) -> bool:
    """The textbook score 1 - mean cosine of unpaired answers, above 0.2."""
    rows = tf_idf(trial.texts, 384)
    return bool(1.0 - (rows[~trial.is_current] @ rows[trial.is_current].T).mean() > 0.2)


def fixed_kl(trial: Trial, _seed: int) -> bool:
    """Unigram KL above 0.1 nats."""
    counts = word_counts(trial.texts, 4096).astype(np.float64)
    current, reference = counts[trial.is_current].sum(0), counts[~trial.is_current].sum(0)
    return float(kl_divergence(current, reference)) > 0.1


METHODS: dict[str, Callable[[Trial, int], bool]] = {
    "combination": combination,
    "divergence": divergence,
    "word MMD": word_mmd,
    "1-cos > 0.2": fixed_cosine,
    "KL > 0.1": fixed_kl,
}


def synthetic_trials(n: int, mix: float, n_trials: int) -> Iterator[Trial]:
    """Yield made-up windows."""
    for number in range(n_trials):
        rng = np.random.default_rng([number, n])
        prompts, texts = make_window(n, rng)
        more_prompts, more_texts = make_window(n, rng, other_share=mix)
        yield Trial(texts + more_texts, prompts + more_prompts, np.arange(2 * n) >= n)


def real_trials(folder: Path, n: int, mix: float, n_trials: int) -> Iterator[Trial]:
    """Yield windows of answers to different prompts, a share of them by the next version."""
    table = pq.read_table(folder / "alpaca_prompts.parquet").to_pylist()
    prompts = {row["prompt_id"]: row["prompt"] for row in table}
    answers: dict[str, dict[int, str]] = defaultdict(dict)
    for path in sorted(folder.glob("alpaca_[a-d]_*.parquet")):
        for row in pq.read_table(path).to_pylist():
            answers[row["model"]][row["prompt_id"]] = row["response"]
    for number in range(n_trials):
        old, new = PAIRS[number % len(PAIRS)]
        both = sorted(set(answers[old]) & set(answers[new]))
        ids = np.random.default_rng([number, n]).permutation(both)[: 2 * n]
        n_new = round(mix * n)
        texts = [
            answers[new if n <= place < n + n_new else old][int(i)] for place, i in enumerate(ids)
        ]
        yield Trial(texts, [prompts[int(i)] for i in ids], np.arange(len(ids)) >= n)


def main() -> None:
    """Print rejection rates with their intervals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--size", type=int, default=100)
    parser.add_argument("--quick", action="store_const", const=QUICK_TRIALS, dest="trials")
    options = parser.parse_args()
    print(f"rejection rate at {LEVEL:.0%}, n = {options.size} + {options.size}, 95% interval")
    print("| method | mix | rate | interval | ms a test |")
    print("|---|---|---|---|---|")
    for mix in (0.0, 0.25, 0.5, 1.0):
        make = (
            real_trials(options.data, options.size, mix, options.trials)
            if options.data
            else synthetic_trials(options.size, mix, options.trials)
        )
        trials = list(make)
        for name, method in METHODS.items():
            start = time.perf_counter()
            n_rejected = sum(method(trial, number) for number, trial in enumerate(trials))
            spent_ms = 1000.0 * (time.perf_counter() - start) / len(trials)
            low, high = jeffreys_interval(n_rejected, len(trials)) or (0.0, 1.0)
            rate = n_rejected / len(trials)
            print(f"| {name} | {mix} | {rate:.2f} | {low:.2f}-{high:.2f} | {spent_ms:.0f} |")


if __name__ == "__main__":
    main()
