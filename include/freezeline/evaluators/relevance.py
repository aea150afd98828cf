"""Relevance: is the answer about what was asked? Likeness of meaning of prompt and answer.

An answer about something else is unlike its prompt; a wrong answer about the right thing is not,
so relevance says nothing about correctness.
"""

from collections.abc import Callable, Sequence

import numpy as np

from include.freezeline.evaluators.interface import Item, Need, PairModel, Score
from include.freezeline.stats.permutation import Float32Array

Embedder = Callable[[Sequence[str]], Float32Array]
"""Turns texts into L2-normalised float32 rows."""


class Relevance:
    """Scores the cosine of prompt and answer, or what a model of pairs says of them."""

    name = "relevance"
    needs: frozenset[Need] = frozenset({"answer", "prompt"})
    is_high_bad = False

    def __init__(self, embed: Embedder, relates: PairModel | None = None) -> None:
        """Set up.

        Args:
            embed: Turns texts into vectors.
            relates: Scores question and answer; the cosine is taken when None.
        """
        self._embed, self._relates = embed, relates
        self.version = "2" if relates is None else "2+pairs"
        self.has_model = relates is not None

    def score(self, batch: Sequence[Item]) -> list[Score]:
        """Return the likeness of each answer to its prompt, not below 0; of nothing it is 0."""
        prompts = [item.prompt or "" for item in batch]
        answers = [item.answer or "" for item in batch]
        if self._relates is not None:
            values = list(self._relates(list(zip(prompts, answers, strict=True))))
        else:
            rows = self._embed([*prompts, *answers])
            values = list(np.einsum("ij,ij->i", rows[: len(batch)], rows[len(batch) :]))
        return [
            Score(item.call_key, float(np.clip(value, 0.0, 1.0)), f"likeness {value:.2f}")
            if (item.answer or "").strip()
            else Score(item.call_key, 0.0, "the answer is empty")
            for item, value in zip(batch, values, strict=True)
        ]
