"""Self-consistency: do answers to the same prompt say the same?

Where a model makes something up, it makes up something else each time (Manakul, Liusie & Gales
2023, *SelfCheckGPT*; Farquhar et al. 2024). Compared are meaning and numbers; wording may differ.
"""

from collections.abc import Sequence

import numpy as np

from include.freezeline.evaluators.interface import Item, Need, Score
from include.freezeline.evaluators.relevance import Embedder
from include.freezeline.evaluators.support import numbers_of


class SelfConsistency:
    """Scores how far an answer agrees with the other answers to its prompt."""

    name = "self_consistency"
    version = "1"
    has_model = False
    needs: frozenset[Need] = frozenset({"answer", "replicas"})
    is_high_bad = False

    def __init__(self, embed: Embedder) -> None:
        """Set up with what turns texts into vectors."""
        self._embed = embed

    def score(self, batch: Sequence[Item]) -> list[Score]:
        """Return the mean cosine to the replicas, halved with the numbers they share."""
        texts = list(dict.fromkeys(text for item in batch for text in _texts(item)))
        rows = dict(zip(texts, self._embed(texts), strict=True)) if texts else {}
        scores = []
        for item in batch:
            own, *others = _texts(item)
            meaning = float(np.mean([rows[own] @ rows[other] for other in others]))
            numbers = _shared_numbers(own, others)
            parts = [meaning] if numbers is None else [meaning, numbers]
            told = "none in them" if numbers is None else f"{numbers:.2f} shared"
            reason = f"{len(others)} other answers, likeness {meaning:.2f}, numbers: {told}"
            value = float(np.clip(np.mean(parts), 0.0, 1.0))
            scores.append(Score(item.call_key, value, reason))
        return scores


def _texts(item: Item) -> list[str]:
    """Return the answer and its replicas."""
    return [item.answer or "", *item.replicas]


def _shared_numbers(own: str, others: Sequence[str]) -> float | None:
    """Return the mean Jaccard likeness of the numbers; None where no answer has any."""
    mine, theirs = numbers_of(own), [numbers_of(other) for other in others]
    shares = [len(mine & each) / len(mine | each) for each in theirs if mine | each]
    return float(np.mean(shares)) if shares else None
