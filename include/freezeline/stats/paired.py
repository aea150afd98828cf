"""Have answers to the same prompts changed? A combination test that flips signs inside pairs.

Each pair holds an answer of the reference and one of the current window to one prompt: canaries
and replayed prompts. What the prompt explains is in both and cancels in their difference, so small
changes show that no comparison of different prompts can see. If nothing changed, exchanging the
two answers of a pair changes nothing, which flips the sign of every difference of that pair.

Members, all on one matrix of signs: the largest standardised mean difference over habits of style,
and the twenty largest; a leave-one-out kernel ridge prediction of which answer is the current one,
from style and word shapes; the Jensen-Shannon divergence of openings and endings; the twenty
largest squared z-scores of word shapes and of words; the mean difference of embeddings. Fisher's
sum of their ranks is the test.

Sources: Fisher 1935 (randomisation of paired differences); Westfall & Young 1993; Saunders,
Gammerman & Vovk 1998 (kernel ridge regression). Null hypothesis: given the prompt, the two answers
of a pair are exchangeable.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from include.freezeline.stats.calendar_words import without_dates
from include.freezeline.stats.conditioning import leave_one_out_odd_smoother, unit_diagonal
from include.freezeline.stats.divergence import js_divergence
from include.freezeline.stats.matching import pairs_in_order
from include.freezeline.stats.permutation import (
    Float32Array,
    permutation_p_value,
    staged_test,
)
from include.freezeline.stats.recognition import recognised_pairs
from include.freezeline.stats.result import (
    FloatArray,
    IntArray,
    StatResult,
    insufficient,
)
from include.freezeline.stats.shapes import shape_presence
from include.freezeline.stats.sign_members import (
    SignMember,
    gram,
    largest_mean,
    largest_squares,
    member_statistics,
    moved_columns,
    quadratic_member,
    scaled,
    sign_matrix,
)
from include.freezeline.stats.style import EDGES, FEATURE_NAMES, normal_scores, style_matrix
from include.freezeline.stats.vocabulary import bucket_counts, told_words, word_presence

METHOD = "paired_combination"
_MIN_PAIRS = 8
_BUCKETS = 256
_RIDGE = 5.0


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What does not depend on the signs: differences, reference to current."""

    style: Float32Array
    predictor: Float32Array
    words: Float32Array
    word_names: list[str]
    members: dict[str, SignMember]


def paired_combination_test(
    reference: Sequence[str],
    current: Sequence[str],
    *,
    seed: int,
    embeddings: tuple[Float32Array, Float32Array] | None = None,
    n_permutations: int = 499,
    n_refined: int = 9999,
) -> StatResult:
    """Test whether answers to the same prompts changed.

    The value is how often the current answer of a pair can be told from the reference one; 0.5 is
    no difference. Of more than 1,000 pairs as many are drawn, and the details say so.

    Args:
        reference: Answers of the reference window.
        current: Answers of the current window; row i answers the prompt of reference row i.
        seed: Seed of the signs.
        embeddings: L2-normalised embeddings of both, one row per pair.
        n_permutations: Sign vectors of the screening stage.
        n_refined: Sign vectors when the screening p-value is at most 10%.

    Raises:
        ValueError: The windows differ in length.
    """
    n_pairs = len(current)
    if len(reference) != n_pairs:
        message = f"pairs need as many reference answers as current ones, got {len(reference)} and {n_pairs}"  # fmt: skip
        raise ValueError(message)
    if n_pairs < _MIN_PAIRS:
        reason = f"{n_pairs} pairs, at least {_MIN_PAIRS} are needed"
        return insufficient(METHOD, reason, n_pairs, n_pairs)
    if len({*reference, *current}) == 1:
        return insufficient(METHOD, "all answers are equal", n_pairs, n_pairs)
    chosen = pairs_in_order((reference, current), seed)
    prepared = _prepare(
        [reference[i] for i in chosen.tolist()],
        [current[i] for i in chosen.tolist()],
        embeddings and (embeddings[0][chosen], embeddings[1][chosen]),
    )
    statistics, p_value = staged_test(
        lambda size, rng: member_statistics(prepared.members, sign_matrix(len(chosen), size, rng)),
        n_permutations,
        n_refined,
        seed,
    )
    result = _result(prepared, statistics, p_value, chosen, seed)
    read = {"n_answers": [n_pairs, n_pairs], "is_subsampled": len(chosen) < n_pairs}
    return replace(result, details={**result.details, **read})


def _prepare(
    reference: Sequence[str],
    current: Sequence[str],
    embeddings: tuple[Float32Array, Float32Array] | None,
) -> _Prepared:
    """Compute the differences of all pairs, and the members."""
    texts = without_dates([*reference, *current])
    style = _differences(normal_scores(style_matrix(texts)))
    presence, names = word_presence(texts)
    words = _differences(presence)
    shapes = _differences(shape_presence(texts))
    kernel = unit_diagonal(gram(scaled(style))) + unit_diagonal(gram(scaled(shapes)))
    predictor = leave_one_out_odd_smoother(kernel, _RIDGE)
    edges = [bucket_counts([edge(text) for text in texts], _BUCKETS) for edge in EDGES]
    members: dict[str, SignMember] = {
        "style": largest_mean(style),
        "style_top": largest_squares(style),
        "prediction": quadratic_member(predictor),
        "openings": _divergence(edges),
    }
    if shapes.shape[1]:
        members["shapes"] = largest_squares(shapes)
    if names:
        members["words"] = largest_squares(words)
    if embeddings is not None:
        meaning = gram(embeddings[1] - embeddings[0])
        np.fill_diagonal(meaning, 0.0)
        members["meaning"] = quadratic_member(meaning)
    told = told_words(presence)
    return _Prepared(style, predictor, words[:, told], [names[i] for i in told], members)


def _differences(rows: Float32Array) -> Float32Array:
    """Return current minus reference of every pair; the first half of the rows is the reference."""
    half = len(rows) // 2
    return rows[half:] - rows[:half]


def _divergence(tables: Sequence[Float32Array]) -> SignMember:
    """Return the member that adds up Jensen-Shannon divergences of the two windows.

    Args:
        tables: One-hot rows of both windows, reference first.
    """
    halves = [(_differences(table) / 2.0, table.sum(axis=0) / 2.0) for table in tables]

    def statistic(signs: Float32Array) -> FloatArray:
        parts = []
        for difference, middle in halves:
            moved = np.asarray(signs @ difference, dtype=np.float64)
            parts.append(
                js_divergence(np.maximum(middle + moved, 0), np.maximum(middle - moved, 0))
            )
        return np.asarray(sum(parts), dtype=np.float64)

    return statistic


def _result(
    prepared: _Prepared,
    statistics: dict[str, FloatArray],
    p_value: float,
    chosen: IntArray,
    seed: int,
) -> StatResult:
    """Describe the effect: how often the current answer is recognised, and by what."""
    n_pairs = len(prepared.style)
    scores = prepared.predictor.sum(axis=1)
    value, interval = recognised_pairs(prepared.predictor, seed)
    order = np.argsort(-scores, kind="stable")
    return StatResult(
        value=value,
        interval=interval,
        p_value=p_value,
        n_reference=n_pairs,
        n_current=n_pairs,
        method=METHOD,
        method_version="2",
        seed=seed,
        details={
            "member_p_values": {name: permutation_p_value(s) for name, s in statistics.items()},
            "moved_features": moved_columns(prepared.style, list(FEATURE_NAMES)),
            "moved_words": moved_columns(prepared.words, prepared.word_names),
            "most_typical_pairs": [int(i) for i in chosen[order[:3]]],
            "n_permutations": len(next(iter(statistics.values()))) - 1,
        },
    )
