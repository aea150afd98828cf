"""Have answers to the same prompts changed, when two earlier answers to each are known?

Each triple holds two answers of the reference, a and b, and one of the current window, c, to one
prompt. Two answers of one unchanged model differ by chance, and so do b and c; how far such answers
lie apart is what pairs cannot know. Here a tells: c is compared with b both in *what* moved and in
whether it lies *farther* from a.

Two groups of members on one matrix of signs, flipped where b and c are exchanged:

* directions: the twenty largest squared z-scores of habits of style, of word shapes and of words;
  and a leave-one-out kernel ridge prediction of which of the two is the current one;
* distances: the sum of the z-scores of d(c, a) - d(b, a), as signed ranks, for the Euclidean
  distance of habits, the Jaccard distances of shapes and of words, and 1 - cosine of embeddings.

Fisher's sum of the ranks of the two groups is the test; the prediction sees the distances too, so
that one number says how well the current answer is recognised.

Sources: Fisher 1935 (randomisation of paired differences); Wilcoxon 1945 (signed ranks); Westfall &
Young 1993; Pesarin & Salmaso 2010 (nested combination). Null hypothesis: given the prompt and the
first reference answer, the second one and the current one are exchangeable.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import rankdata

from include.freezeline.stats.calendar_words import without_dates
from include.freezeline.stats.conditioning import leave_one_out_odd_smoother, unit_diagonal
from include.freezeline.stats.matching import pairs_in_order
from include.freezeline.stats.permutation import (
    Float32Array,
    fisher_combination,
    permutation_p_value,
    staged_test,
)
from include.freezeline.stats.recognition import recognised_pairs
from include.freezeline.stats.result import FloatArray, IntArray, StatResult, insufficient
from include.freezeline.stats.semantic import cosine_distances
from include.freezeline.stats.shapes import shape_presence
from include.freezeline.stats.sign_members import (
    SignMember,
    gram,
    largest_squares,
    member_statistics,
    moved_columns,
    quadratic_member,
    ratio_above_zero,
    scaled,
    sign_matrix,
    sum_of_z_scores,
)
from include.freezeline.stats.style import FEATURE_NAMES, normal_scores, style_matrix
from include.freezeline.stats.vocabulary import told_words, word_presence

METHOD = "replicated_combination"
_MIN_TRIPLES = 8
_RIDGE = 5.0
_N_EXAMPLES = 3
# Distances that differ only by the order of additions must tie.
_DISTANCE_DIGITS = 6
_Distance = Callable[[Float32Array, Float32Array], FloatArray]


@dataclass(frozen=True, slots=True)
class Triples:
    """Three answers to each prompt, row by row.

    Attributes:
        reference: A reference answer.
        replicate: A second, independent one.
        current: The current answer.
        embeddings: L2-normalised embeddings of the three, in this order; None without.
    """

    reference: Sequence[str]
    replicate: Sequence[str]
    current: Sequence[str]
    embeddings: tuple[Float32Array, Float32Array, Float32Array] | None = None

    @property
    def texts(self) -> list[str]:
        """All answers: first the references, then the replicates, then the current ones."""
        return [*self.reference, *self.replicate, *self.current]


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What does not depend on the signs."""

    style: Float32Array
    words: Float32Array
    word_names: list[str]
    distances: Float32Array
    predictor: Float32Array
    directions: dict[str, SignMember]


def replicated_combination_test(
    triples: Triples, *, seed: int, n_permutations: int = 499, n_refined: int = 9999
) -> StatResult:
    """Test whether answers to the same prompts changed, given two earlier answers to each.

    The value is how often the current answer of a triple can be told from the second reference
    answer, each predicted from the other triples; 0.5 is no difference. Of more than 1,000
    triples as many are drawn, and the details say so.

    Args:
        triples: The answers.
        seed: Seed of the signs.
        n_permutations: Sign vectors of the screening stage.
        n_refined: Sign vectors when the screening p-value is at most 10%.

    Raises:
        ValueError: The three differ in length.
    """
    sizes = {len(triples.reference), len(triples.replicate), len(triples.current)}
    if len(sizes) > 1:
        message = f"triples need as many answers of each kind, got {sorted(sizes)}"
        raise ValueError(message)
    n_triples = len(triples.current)
    if n_triples < _MIN_TRIPLES:
        reason = f"{n_triples} pairs with two reference answers, at least {_MIN_TRIPLES} are needed"
        return insufficient(METHOD, reason, n_triples, n_triples)
    if triples.embeddings is not None and not np.isfinite(triples.embeddings).all():
        return insufficient(METHOD, "embeddings with missing numbers", n_triples, n_triples)
    if len(set(triples.texts)) == 1:
        return insufficient(METHOD, "all answers are equal", n_triples, n_triples)
    kinds = (triples.reference, triples.replicate, triples.current)
    chosen = pairs_in_order(kinds, seed)
    prepared = _prepare(_rows_of(triples, chosen))
    statistics, p_value = staged_test(
        lambda size, rng: _group_statistics(prepared, size, rng), n_permutations, n_refined, seed
    )
    result = _result(prepared, statistics, p_value, chosen, seed)
    read = {"n_answers": [n_triples, n_triples], "is_subsampled": len(chosen) < n_triples}
    return replace(result, details={**result.details, **read})


def _rows_of(triples: Triples, rows: IntArray) -> Triples:
    """Return some rows, in their order."""
    kinds = (triples.reference, triples.replicate, triples.current)
    reference, replicate, current = ([texts[i] for i in rows.tolist()] for texts in kinds)
    vectors = triples.embeddings
    return Triples(
        reference,
        replicate,
        current,
        vectors and (vectors[0][rows], vectors[1][rows], vectors[2][rows]),
    )


def _prepare(triples: Triples) -> _Prepared:
    """Compute differences, distances and members."""
    texts = without_dates(triples.texts)
    presence, names = word_presence(texts)
    style, shapes, words = map(
        _thirds, (normal_scores(style_matrix(texts)), shape_presence(texts), presence)
    )
    moved = [current - replicate for _, replicate, current in (style, shapes, words)]
    farther = [_farther(*style, _euclidean), _farther(*shapes, _jaccard), _farther(*words, _jaccard)]  # fmt: skip
    if triples.embeddings is not None:
        farther.append(_farther(*triples.embeddings, cosine_distances))
    distances = _signed_ranks(np.stack(farther, axis=1))
    kernels = [unit_diagonal(gram(scaled(part))) for part in (moved[0], moved[1], distances)]
    kernel = np.asarray(sum(kernels), dtype=np.float32)
    predictor = leave_one_out_odd_smoother(kernel, _RIDGE)
    directions = {"prediction": quadratic_member(predictor)} | {
        name: largest_squares(part)
        for name, part in zip(("style", "shapes", "words"), moved, strict=True)
        if part.shape[1]
    }
    told = told_words(presence)
    told_names = [names[i] for i in told]
    return _Prepared(moved[0], moved[2][:, told], told_names, distances, predictor, directions)


def _thirds(rows: Float32Array) -> tuple[Float32Array, Float32Array, Float32Array]:
    """Return the rows of references, replicates and current answers."""
    n = len(rows) // 3
    return rows[:n], rows[n : 2 * n], rows[2 * n :]


def _farther(
    reference: Float32Array, replicate: Float32Array, current: Float32Array, distance: _Distance
) -> FloatArray:
    """Return how much farther from the reference the current answer is than the replicate."""
    return distance(current, reference) - distance(replicate, reference)


def _euclidean(left: Float32Array, right: Float32Array) -> FloatArray:
    """Return the Euclidean distance of each pair of rows."""
    return np.asarray(np.linalg.norm(left - right, axis=1), dtype=np.float64)


def _jaccard(left: Float32Array, right: Float32Array) -> FloatArray:
    """Return 1 - intersection over union of each pair of rows of 0 and 1; empty pairs give 0."""
    shared, either = np.minimum(left, right).sum(axis=1), np.maximum(left, right).sum(axis=1)
    return np.asarray(1.0 - (shared + 1.0) / (either + 1.0), dtype=np.float64)


def _signed_ranks(differences: FloatArray) -> Float32Array:
    """Return the rank of every size in its column, with its sign; zeros stay."""
    rounded = np.round(differences, _DISTANCE_DIGITS)
    return np.asarray(np.sign(rounded) * rankdata(np.abs(rounded), axis=0), dtype=np.float32)


def _group_statistics(
    prepared: _Prepared, n_permutations: int, rng: np.random.Generator
) -> dict[str, FloatArray]:
    """Return the combined directions and the distances under rows of signs."""
    signs = sign_matrix(len(prepared.style), n_permutations, rng)
    directions = member_statistics(prepared.directions, signs)
    return {
        "directions": fisher_combination(list(directions.values())),
        **member_statistics({"distances": sum_of_z_scores(prepared.distances)}, signs),
    }


def _result(
    prepared: _Prepared,
    statistics: dict[str, FloatArray],
    p_value: float,
    chosen: IntArray,
    seed: int,
) -> StatResult:
    """Describe the effect: how often the current answer is recognised, and by what."""
    n_triples = len(prepared.style)
    scores = prepared.predictor.sum(axis=1)
    value, interval = recognised_pairs(prepared.predictor, seed)
    return StatResult(
        value=value,
        interval=interval,
        p_value=p_value,
        n_reference=n_triples,
        n_current=n_triples,
        method=METHOD,
        method_version="2",
        seed=seed,
        details={
            "member_p_values": {name: permutation_p_value(s) for name, s in statistics.items()},
            "farther_ratio": ratio_above_zero(prepared.distances.sum(axis=1)),
            "moved_features": moved_columns(prepared.style, list(FEATURE_NAMES)),
            "moved_words": moved_columns(prepared.words, prepared.word_names),
            "most_typical_pairs": chosen[np.argsort(-scores, kind="stable")[:_N_EXAMPLES]].tolist(),
            "n_permutations": len(statistics["distances"]) - 1,
        },
    )
