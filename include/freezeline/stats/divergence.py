"""Divergence of output distributions, calibrated at the sample size at hand.

A divergence of two samples of the same source is never 0 and grows with the vocabulary, so a
fixed threshold alarms on every quiet window. The null distribution here comes from permuting
whole texts, because words of one text are not independent.

Sources: Kullback & Leibler 1951; Lin 1991 (Jensen-Shannon); Ernst 2004 (permutation tests).
Null hypothesis: inside a stratum both windows draw their texts from one distribution.
"""

from collections.abc import Sequence

import numpy as np

from include.freezeline.stats.calendar_words import without_dates
from include.freezeline.stats.permutation import (
    Float32Array,
    LabelMatrix,
    label_matrix,
    permutation_p_value,
    staged_test,
)
from include.freezeline.stats.result import (
    BoolArray,
    FloatArray,
    IntArray,
    StatResult,
    insufficient,
)
from include.freezeline.stats.style import opening
from include.freezeline.stats.vocabulary import bucket_counts, length_bins, word_counts

METHOD = "kl_permutation"
SMOOTHING = 0.5
_WORD_BUCKETS = 512
_OPENING_BUCKETS = 64
_SHOWN = 3


def kl_divergence(
    current: FloatArray, reference: FloatArray, smoothing: float = SMOOTHING
) -> FloatArray:
    """Return KL(current || reference) in nats along the last axis.

    Args:
        current: Counts, one per category; leading axes are separate distributions.
        reference: Counts of the same shape.
        smoothing: Added to every count, so that an unseen category is not infinite evidence.
    """
    p = _normalise(np.asarray(current, dtype=np.float64) + smoothing)
    q = _normalise(np.asarray(reference, dtype=np.float64) + smoothing)
    return np.asarray((p * np.log(p / q)).sum(axis=-1))


def js_divergence(current: FloatArray, reference: FloatArray) -> FloatArray:
    """Return the Jensen-Shannon divergence in nats along the last axis, from 0 to log 2."""
    p = _normalise(np.asarray(current, dtype=np.float64))
    q = _normalise(np.asarray(reference, dtype=np.float64))
    middle = (p + q) / 2.0
    return np.asarray((_plogp(p, middle) + _plogp(q, middle)).sum(axis=-1) / 2.0)


def divergence_test(
    texts: Sequence[str],
    is_current: BoolArray,
    *,
    seed: int,
    strata: IntArray | None = None,
    n_permutations: int = 499,
    n_refined: int = 4999,
) -> StatResult:
    """Test whether words, openings and lengths of answers moved; value is KL of the words.

    The interval says how far chance alone moves a divergence of this size of sample: what the
    permuted divergences spread around their median is put around the observed one. It is not a
    confidence interval of a population's divergence, which samples of this size always overstate.

    Args:
        texts: Answers of both windows.
        is_current: Which of them belong to the current window.
        seed: Seed of the permutations.
        strata: Labels are permuted inside these groups only (prompt version, topic).
        n_permutations: Permutations of the screening stage.
        n_refined: Permutations when the screening p-value is at most 10%.
    """
    n_current, n_reference = int(is_current.sum()), int((~is_current).sum())
    if min(n_current, n_reference) < 2:
        return insufficient(METHOD, "fewer than two texts in a window", n_reference, n_current)
    counts = _distributions(texts)
    if not counts["words"].any():
        return insufficient(METHOD, "the texts have no words", n_reference, n_current)

    def statistics_of(size: int, rng: np.random.Generator) -> dict[str, FloatArray]:
        labels = label_matrix(is_current, size, rng, strata)
        return {name: _kl_rows(labels, rows) for name, rows in counts.items()}

    members, p_value = staged_test(statistics_of, n_permutations, n_refined, seed)
    return _result(members, counts["words"], is_current, p_value, seed)


def _distributions(answers: Sequence[str]) -> dict[str, Float32Array]:
    """Return the counts per text of the three output distributions."""
    texts = without_dates(answers)
    return {
        "words": word_counts(texts, _WORD_BUCKETS),
        "openings": bucket_counts([opening(text) for text in texts], _OPENING_BUCKETS),
        "lengths": length_bins(texts),
    }


def _kl_rows(labels: LabelMatrix, counts: Float32Array) -> FloatArray:
    """Return the divergence of every row of labels.

    Weighted means times the number of texts keep the smoothing comparable with raw counts.
    """
    n_texts = len(counts)
    return kl_divergence(
        np.asarray(labels.current @ counts * (n_texts / 2), dtype=np.float64),
        np.asarray(labels.reference @ counts * (n_texts / 2), dtype=np.float64),
    )


def _result(
    members: dict[str, FloatArray],
    words: Float32Array,
    is_current: BoolArray,
    p_value: float,
    seed: int,
) -> StatResult:
    """Describe the observed divergence beside what chance alone gives."""
    observed = members["words"]
    null = observed[1:]
    value, middle = float(observed[0]), float(np.median(null))
    spread = (float(np.quantile(null, 0.025)), float(np.quantile(null, 0.975)))
    return StatResult(
        value=value,
        interval=(max(0.0, value + middle - spread[1]), value + middle - spread[0]),
        p_value=p_value,
        n_reference=int((~is_current).sum()),
        n_current=int(is_current.sum()),
        method=METHOD,
        method_version="3",
        seed=seed,
        details={
            "excess_nats": value - middle,
            "chance_median_nats": middle,
            "chance_interval_nats": list(spread),
            "excess_interval_nats": [value - spread[1], value - spread[0]],
            "member_p_values": {name: permutation_p_value(v) for name, v in members.items()},
            "n_permutations": len(null),
            "n_words_current": int(words[is_current].sum()),
            "most_moving_rows": _most_moving_rows(words, is_current),
        },
    )


def _most_moving_rows(words: Float32Array, is_current: BoolArray) -> list[int]:
    """Return the current texts whose words speak most for the current distribution, per word."""
    current = words[is_current].sum(axis=0, dtype=np.float64) + SMOOTHING
    reference = words[~is_current].sum(axis=0, dtype=np.float64) + SMOOTHING
    gain = np.log(_normalise(current)) - np.log(_normalise(reference))
    scores = (words @ gain) / np.maximum(words.sum(axis=1), 1.0)
    rows = np.flatnonzero(is_current)
    return [int(i) for i in rows[np.argsort(-scores[rows], kind="stable")][:_SHOWN]]


def _normalise(counts: FloatArray) -> FloatArray:
    """Return counts as shares of their last axis."""
    total = counts.sum(axis=-1, keepdims=True)
    return np.asarray(counts / np.where(total > 0, total, 1.0))


def _plogp(p: FloatArray, q: FloatArray) -> FloatArray:
    """Return p log(p / q) with 0 log 0 = 0."""
    ratio = np.divide(p, q, out=np.ones_like(p), where=p > 0)
    return np.asarray(p * np.log(ratio))
