"""How much faster do texts become vectors than by plain ``SentenceTransformer.encode``?

``python -m tests.bench.bench_embed [--quick]`` embeds made-up English of 60 and of 250 tokens both
ways in one process, in turns, and prints the best of each way's rounds, how many times faster ours
is, and the least and mean cosine of ours to plain's. Ours is what a night runs: the embedder with a
cache that knows none of the texts, hashes, tokenising and saving included; loading the models is
not counted on either side. Plain has as many threads as there are CPUs. ``--quick`` embeds so few
texts that only the program is tested.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from include.freezeline.adapters.embedding_cache import EmbeddingCache, Float32Array
from include.freezeline.adapters.embedding_choice import RuntimeChoice
from include.freezeline.adapters.embedding_precision import cpu_flags, has_bf16, n_usable_cpus
from include.freezeline.adapters.embedding_runtime import EmbeddingRuntime, cosines
from include.freezeline.adapters.embedding_torch import PACKAGED, TorchRuntime, load_torch
from include.freezeline.adapters.embeddings import SentenceEmbedder
from include.freezeline.settings import Settings

TOKENS = (60, 250)
N_TEXTS, N_ROUNDS = {60: 192, 250: 48}, 3
QUICK_TEXTS, QUICK_ROUNDS = {60: 24, 250: 6}, 1
SUBJECTS = "the customer|our courier|the second invoice|your account|a new release|the old server"
VERBS = "arrives with|depends on|was changed by|has to wait for|cannot be opened without|confirms"
OBJECTS = "the refund|a signed form|the latest update|another team|two missing parts|an open ticket"
ENDS = "before Friday|in most countries|as the manual says|after a short delay|at no further cost"


@dataclass(frozen=True, slots=True)
class Opened:
    """A runtime that is loaded already."""

    runtime: EmbeddingRuntime
    model: str = PACKAGED

    @property
    def expected(self) -> str:
        """Its name."""
        return self.runtime.name

    def open(self) -> EmbeddingRuntime:
        """Return it."""
        return self.runtime


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of a round: on the clock, and of all CPUs."""

    wall_s: float
    cpu_s: float


def english(n_words: int, rng: np.random.Generator) -> list[str]:
    """Return words of made-up sentences."""
    words: list[str] = []
    while len(words) < n_words:
        parts = [rng.choice(kind.split("|")) for kind in (SUBJECTS, VERBS, OBJECTS, ENDS)]
        words += f"{' '.join(parts).capitalize()}.".split()
    return words


def texts_of(n_tokens: int, n_texts: int, plain: TorchRuntime) -> list[str]:
    """Return different texts of so many tokens, the two that the model adds included."""
    rng = np.random.default_rng(n_tokens)
    tokeniser = plain.model.tokenizer
    texts: set[str] = set()
    while len(texts) < n_texts:
        words = english(n_tokens, rng)
        while len(tokeniser(" ".join(words), verbose=False).input_ids) > n_tokens:
            words.pop()
        texts.add(" ".join(words))
    return sorted(texts)


def timed(work: Callable[[], Float32Array]) -> tuple[Float32Array, Spent]:
    """Return what the work gives and what it takes."""
    wall, cpu = time.perf_counter(), time.process_time()
    rows = work()
    return rows, Spent(time.perf_counter() - wall, time.process_time() - cpu)


def best(rounds: Sequence[Spent]) -> Spent:
    """Return the shortest times of some rounds."""
    return Spent(min(each.wall_s for each in rounds), min(each.cpu_s for each in rounds))


def compare(
    texts: list[str], plain: TorchRuntime, fast: EmbeddingRuntime, n_rounds: int, folder: Path
) -> str:
    """Return a row of the table."""
    plain.encode(texts[:4]), fast.encode(texts[:4])
    spent: dict[str, list[Spent]] = {"plain": [], "ours": []}
    for number in range(n_rounds):
        reference, took = timed(lambda: plain.encode(texts))
        spent["plain"].append(took)
        cache = EmbeddingCache(folder / f"{len(texts)}-{number}.sqlite")
        rows, took = timed(lambda cache=cache: SentenceEmbedder(Opened(fast), cache)(texts))
        spent["ours"].append(took)
    close = cosines(rows, reference)
    slow, quick = best(spent["plain"]), best(spent["ours"])
    n = len(texts)
    return (
        f"| {n} | {n / slow.wall_s:.1f} | {n / quick.wall_s:.1f} "
        f"| {slow.wall_s / quick.wall_s:.2f}x | {slow.cpu_s / quick.cpu_s:.2f}x "
        f"| {close.min():.5f} | {close.mean():.5f} |"
    )


def main() -> None:
    """Print speeds and cosines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--precision", choices=("auto", "f32", "bf16", "int8"), default="auto")
    options = parser.parse_args()
    n_texts, n_rounds = (QUICK_TEXTS, QUICK_ROUNDS) if options.quick else (N_TEXTS, N_ROUNDS)
    plain = load_torch(PACKAGED)
    import torch

    torch.set_num_threads(n_usable_cpus())
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder), embedding_precision=options.precision)
        fast = RuntimeChoice(settings, print).open()
        has = "has" if has_bf16(cpu_flags()) else "has not"
        print(
            f"ours: {fast.name}; the CPU {has} bf16; plain: {TorchRuntime.name}, "
            f"{torch.get_num_threads()} threads"
        )
        print(
            "| tokens | texts | plain texts/s | ours texts/s | faster | fewer CPU seconds "
            "| least cosine | mean cosine |"
        )
        print("|---|---|---|---|---|---|---|---|")
        for n_tokens in TOKENS:
            texts = texts_of(n_tokens, n_texts[n_tokens], plain)
            print(f"| {n_tokens} {compare(texts, plain, fast, n_rounds, Path(folder))}", flush=True)


if __name__ == "__main__":
    main()
