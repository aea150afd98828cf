"""Tone consistency: does the answer sound like earlier answers of its feature?

Only how it is written counts, not how long it is nor what it says. The score is the share of
earlier answers that are at least as unlike the others, so an ordinary answer's score is spread
evenly from 0 to 1, and few are near 0. What is usual is learned from the answer too (full
conformal, Vovk, Gammerman & Shafer 2005), so that it is treated like the earlier ones: measured by
what they alone say it would be among the farthest too often.
"""

from collections.abc import Sequence

import numpy as np

from include.freezeline.evaluators.interface import Item, Need, Score
from include.freezeline.stats.result import FloatArray
from include.freezeline.stats.style import FEATURE_NAMES, style_matrix

_TONE = (
    "hedges", "connectives", "first_person", "second_person", "contractions", "exclamations",
    "questions", "capitals", "non_ascii", "opens_with_agreement", "opens_with_apology",
    "opens_with_first_person", "offers_help", "ends_with_question", "ends_with_exclamation",
    "words_per_sentence", "long_words", "stop_words",
)  # fmt: skip
_COLUMNS = [FEATURE_NAMES.index(name) for name in _TONE]
# A score is at least 1 in peers + 1, and about one ordinary answer in a hundred is called bad.
_MIN_PEERS = 100


class Tone:
    """Scores how ordinary an answer's tone is among earlier ones."""

    name = "tone"
    version = "3"
    has_model = False
    needs: frozenset[Need] = frozenset({"answer", "peers"})
    is_high_bad = False

    def score(self, batch: Sequence[Item]) -> list[Score]:
        """Return the share of earlier answers that are at least as far from the usual tone."""
        known: dict[tuple[str, ...], FloatArray] = {}
        return [_score(item, known) for item in batch]


def _score(item: Item, known: dict[tuple[str, ...], FloatArray]) -> Score:
    """Score one answer; the features of peers that many answers share are computed once."""
    if len(item.peers) < _MIN_PEERS:
        reason = f"{len(item.peers)} earlier answers of its kind, {_MIN_PEERS} needed"
        return Score(item.call_key, None, reason)
    if item.peers not in known:
        known[item.peers] = _rows(item.peers)
    rows = np.vstack([known[item.peers], _rows([item.answer or ""])])
    centre, scale = np.median(rows, axis=0), np.maximum(rows.std(axis=0), 1e-3)
    gaps = ((rows - centre) / scale) ** 2
    distances = gaps.mean(axis=1)
    # Of equal texts none is farther by the last digit of a sum.
    n_as_far = int((distances[:-1] >= distances[-1] - 1e-9).sum())
    farthest, n_peers = _TONE[int(np.argmax(gaps[-1]))], len(item.peers)
    reason = f"{n_as_far} of {n_peers} earlier answers as far from the usual; most in {farthest}"
    return Score(item.call_key, (1 + n_as_far) / (1 + n_peers), reason)


def _rows(texts: Sequence[str]) -> FloatArray:
    """Return tone features, each on a scale on which one oddity does not hide another."""
    return np.log1p(style_matrix(texts)[:, _COLUMNS].astype(np.float64))
