"""Windows of answers with a known share of another model: made up, or of real model versions.

Protocols: ``organic`` compares answers to different prompts of one pool, a share ``mix`` of the
current ones by another model; ``probe`` compares answers to the same prompts; ``input_mix``
compares one model with itself when 70% of the prompts are of one kind before and 30% after, where
every alarm blames the model for its input.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from include.freezeline.stats.vocabulary import tf_idf
from tests.unit.stats.texts import answer_text, make_prompts, prompt_text

PAIRS = (
    ("gpt-3.5-turbo-0301", "gpt-3.5-turbo-0613"),
    ("gpt-3.5-turbo-0613", "gpt-3.5-turbo-1106"),
    ("gpt-3.5-turbo-1106", "gpt-3.5-turbo-1106_concise"),
    ("gpt-3.5-turbo-1106", "gpt-3.5-turbo-1106_verbose"),
    ("claude", "claude-2"),
    ("claude-2", "claude-2.1"),
    ("claude-2", "claude-instant-1.2"),
    ("llama-2-70b-chat-hf", "llama-2-7b-chat-hf"),
    ("llama-2-13b-chat-hf", "vicuna-13b-v1.5"),
    ("vicuna-13b-v1.3", "vicuna-13b-v1.5"),
    ("vicuna-13b-v1.5", "vicuna-7b-v1.5"),
    ("tulu-2-dpo-13b", "tulu-2-dpo-7b"),
    ("tulu-2-dpo-7b", "tulu-2-dpo-7b-ExPO"),
    ("wizardlm-13b-v1.1", "wizardlm-13b-v1.2"),
    ("zephyr-7b-alpha", "zephyr-7b-beta"),
)
# The same weights served by two hosts: a second, independent sample of a model's answers. Which of
# the two is the earlier one is drawn per prompt, so that hosts that differ are no change either.
TWINS = ("vicuna-13b-v1.5", "vicuna-13b-v1.5-togetherai")
PROBED = ("vicuna-7b-v1.5", "vicuna-13b-v1.3", "llama-2-13b-chat-hf")
PROTOCOLS = ("organic", "probe", "input_mix")
_SHARE = 0.7
_HALF = 0.5
Rows = NDArray[np.float32]
Embed = Callable[[Sequence[str]], Rows]


@dataclass(frozen=True, slots=True)
class Trial:
    """Two windows of answers.

    Attributes:
        texts: Answers, reference first.
        prompts: What was asked.
        is_current: Which belong to the current window.
        is_paired: Whether row i of both windows answers one prompt.
        vectors: Vectors of the answers, which the rivals compare.
        prompt_vectors: Vectors of the prompts.
        is_embedded: Whether the vectors are embeddings, or only stand for them.
        replicates: Of pairs, a second reference answer each; none where the data have no answer
            that is not compared already.
        replicate_vectors: Their vectors.
    """

    texts: list[str]
    prompts: list[str]
    is_current: NDArray[np.bool_]
    is_paired: bool
    vectors: Rows = field(repr=False)
    prompt_vectors: Rows = field(repr=False)
    is_embedded: bool = True
    replicates: list[str] | None = None
    replicate_vectors: Rows | None = field(default=None, repr=False)


class MadeUpWorld:
    """Answers that a generator writes; their vectors are those of their words."""

    name = "made-up answers"

    def trials(self, protocol: str, n: int, mix: float, n_trials: int) -> Iterator[Trial]:
        """Yield windows of n + n answers."""
        for number in range(n_trials):
            rng = np.random.default_rng([number, n, PROTOCOLS.index(protocol)])
            before, after = ((0.7, 0.2, 0.1), (0.3, 0.2, 0.5)) if protocol == "input_mix" else ((0.4, 0.3, 0.3),) * 2  # fmt: skip
            topics = make_prompts(n, rng, before)
            later = topics if protocol == "probe" else make_prompts(n, rng, after)
            prompts = [prompt_text(topic, rng) for topic in topics]
            more = prompts if protocol == "probe" else [prompt_text(t, rng) for t in later]
            texts = [answer_text(topic, rng) for topic in topics]
            texts += [answer_text(t, rng, is_other_model=k < mix * n) for k, t in enumerate(later)]
            trial = _trial(texts, prompts + more, protocol, None)
            if protocol == "probe":
                again = [answer_text(topic, rng) for topic in topics]
                trial = replace(trial, replicates=again, replicate_vectors=_word_rows(again))
            yield trial


def _word_rows(texts: Sequence[str]) -> Rows:
    return tf_idf(texts, 384)


class RealWorld:
    """Answers of real model versions to the same 805 prompts.

    Args:
        folder: Where ``alpaca_*.parquet`` lie.
        embed: Turns texts into L2-normalised rows; vectors of words stand for them when None.
    """

    name = "real model versions"

    def __init__(self, folder: Path, embed: Embed | None) -> None:
        """Read everything."""
        rows = pq.read_table(folder / "alpaca_prompts.parquet").to_pylist()
        self._prompts = {row["prompt_id"]: row["prompt"] for row in rows}
        self._kinds = {row["prompt_id"]: row["dataset"] for row in rows}
        self._answers: dict[str, dict[int, str]] = defaultdict(dict)
        for path in sorted(folder.glob("alpaca_*.parquet")):
            if re.match(r"alpaca_[a-z]_", path.name):
                for row in pq.read_table(path).to_pylist():
                    self._answers[row["model"]][row["prompt_id"]] = row["response"]
        self._pairs = [pair for pair in PAIRS if all(model in self._answers for model in pair)]
        self._embed = embed

    def trials(self, protocol: str, n: int, mix: float, n_trials: int) -> Iterator[Trial]:
        """Yield windows of n + n answers, model pairs in turn."""
        made = (self._make(protocol, n, mix, number) for number in count())
        for _, trial in zip(range(n_trials), made, strict=False):
            yield trial

    def _make(self, protocol: str, n: int, mix: float, number: int) -> Trial:
        """Make one trial."""
        rng = np.random.default_rng([number, n, PROTOCOLS.index(protocol)])
        old, new = self._pairs[number % len(self._pairs)]
        if protocol == "probe":
            old, new = TWINS[0], PROBED[number % len(PROBED)]
        twin = TWINS[1] if protocol == "probe" else old
        ids = [i for i in sorted(self._prompts) if all(i in self._answers[m] for m in (old, new, twin))]  # fmt: skip
        before, after = self._windows(protocol, ids, n, rng)
        n_new = round(mix * len(after))
        is_swapped = rng.random(len(before)) < _HALF
        texts = [self._answers[twin if s else old][i] for i, s in zip(before, is_swapped, strict=True)]  # fmt: skip
        texts += [
            self._answers[new if k < n_new else (old if is_swapped[k] else twin)][i]
            for k, i in enumerate(after)
        ]
        prompts = [self._prompts[i] for i in (*before, *after)]
        trial = _trial(texts, prompts, protocol, self._embed)
        if protocol != "probe" or n_new < len(after):
            return trial
        # Every current answer is the other model's, so the other host's is nowhere else.
        others = [self._answers[old if s else twin][i] for i, s in zip(before, is_swapped, strict=True)]  # fmt: skip
        rows = (self._embed or _word_rows)(others)
        return replace(trial, replicates=others, replicate_vectors=rows)

    def _windows(
        self, protocol: str, ids: list[int], n: int, rng: np.random.Generator
    ) -> tuple[list[int], list[int]]:
        """Choose the prompts of both windows."""
        mixed = rng.permutation(ids).tolist()
        if protocol == "probe":
            return mixed[:n], mixed[:n]
        if protocol == "organic":
            half = min(n, len(mixed) // 2)
            return mixed[:half], mixed[half : 2 * half]
        kinds = sorted(set(self._kinds.values()))
        chosen = set(rng.permutation(kinds)[: max(1, len(kinds) // 2)].tolist())
        some = [i for i in mixed if self._kinds[i] in chosen]
        others = [i for i in mixed if self._kinds[i] not in chosen]
        n = min(n, len(some), len(others))
        most = round(_SHARE * n)
        few = n - most
        return some[:most] + others[:few], others[few : few + most] + some[most : most + few]


def _trial(texts: list[str], prompts: list[str], protocol: str, embed: Embed | None) -> Trial:
    """Put a trial together."""
    is_current = np.arange(len(texts)) >= len(texts) // 2
    vectors = embed or _word_rows
    is_paired, is_embedded = protocol == "probe", embed is not None
    return Trial(
        texts, prompts, is_current, is_paired, vectors(texts), vectors(prompts), is_embedded
    )
