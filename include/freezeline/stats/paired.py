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

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from include.freezeline.stats.combination import MAX_ROWS
from include.freezeline.stats.conditioning import leave_one_out_odd_smoother, unit_diagonal
from include.freezeline.stats.divergence import js_divergence
from include.freezeline.stats.members import TOP_COLUMNS
from include.freezeline.stats.permutation import (
    Float32Array,
    largest_of_rows,
    permutation_p_value,
    staged_test,
)
from include.freezeline.stats.proportions import jeffreys_interval
from include.freezeline.stats.result import (
    FloatArray,
    IntArray,
    StatResult,
    insufficient,
    most_moved,
)
from include.freezeline.stats.shapes import shape_presence
from include.freezeline.stats.style import EDGES, FEATURE_NAMES, normal_scores, style_matrix
from include.freezeline.stats.vocabulary import bucket_counts, word_presence

METHOD = "paired_combination"
_MIN_PAIRS = 8
_BUCKETS = 256
_RIDGE = 5.0
_CHUNK = 1000
SignMember = Callable[[Float32Array], FloatArray]


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
    no difference. Of more than 1,000 pairs as many are drawn.

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
    rng = np.random.default_rng([seed, n_pairs])
    chosen = np.arange(n_pairs)
    if n_pairs > MAX_ROWS:
        chosen = np.sort(rng.choice(n_pairs, MAX_ROWS, replace=False))
        n_pairs = MAX_ROWS
        reference = [reference[i] for i in chosen.tolist()]
        current = [current[i] for i in chosen.tolist()]
        embeddings = embeddings and (embeddings[0][chosen], embeddings[1][chosen])
    prepared = _prepare(reference, current, embeddings)
    statistics, p_value = staged_test(
        lambda size, rng: _member_statistics(prepared.members, sign_matrix(n_pairs, size, rng)),
        n_permutations,
        n_refined,
        seed,
    )
    return _result(prepared, statistics, p_value, chosen, seed)


def sign_matrix(n_pairs: int, n_permutations: int, rng: np.random.Generator) -> Float32Array:
    """Return rows of signs; row 0 is what was observed."""
    signs = rng.choice(np.array([-1.0, 1.0], dtype=np.float32), size=(n_permutations + 1, n_pairs))
    signs[0] = 1.0
    return signs


def _prepare(
    reference: Sequence[str],
    current: Sequence[str],
    embeddings: tuple[Float32Array, Float32Array] | None,
) -> _Prepared:
    """Compute the differences of all pairs, and the members."""
    texts = [*reference, *current]
    style = _differences(normal_scores(style_matrix(texts)))
    presence, names = word_presence(texts)
    words = _differences(presence)
    shapes = _differences(shape_presence(texts))
    kernel = unit_diagonal(_gram(_scaled(style))) + unit_diagonal(_gram(_scaled(shapes)))
    predictor = leave_one_out_odd_smoother(kernel, _RIDGE)
    edges = [bucket_counts([edge(text) for text in texts], _BUCKETS) for edge in EDGES]
    members: dict[str, SignMember] = {
        "style": _largest_mean(style),
        "style_top": _largest_squares(style),
        "prediction": lambda signs: _quadratic(signs, predictor),
        "openings": _divergence(edges),
    }
    if shapes.shape[1]:
        members["shapes"] = _largest_squares(shapes)
    if names:
        members["words"] = _largest_squares(words)
    if embeddings is not None:
        meaning = _gram(embeddings[1] - embeddings[0])
        np.fill_diagonal(meaning, 0.0)
        members["meaning"] = lambda signs: _quadratic(signs, meaning)
    return _Prepared(style, predictor, words, names, members)


def _differences(rows: Float32Array) -> Float32Array:
    """Return current minus reference of every pair; the first half of the rows is the reference."""
    half = len(rows) // 2
    return rows[half:] - rows[:half]


def _scaled(differences: Float32Array) -> Float32Array:
    """Return columns of mean square 1; constant zeros stay."""
    size = np.sqrt((differences**2).mean(axis=0))
    return np.asarray(differences / np.where(size > 0, size, np.inf), dtype=np.float32)


def _gram(rows: Float32Array) -> Float32Array:
    """Return the inner products of all rows."""
    return np.asarray(rows @ rows.T, dtype=np.float32)


def _quadratic(signs: Float32Array, matrix: Float32Array) -> FloatArray:
    """Return s' M s for every row of signs."""
    return np.asarray(((signs @ matrix.T) * signs).sum(axis=1), dtype=np.float64)


def _z_scores(signs: Float32Array, differences: Float32Array) -> Float32Array:
    """Return the standardised sum of every column under every row of signs."""
    spread = np.sqrt((differences**2).sum(axis=0))
    return np.asarray((signs @ differences) / np.where(spread > 0, spread, np.inf))


def _largest_mean(differences: Float32Array) -> SignMember:
    """Return the member that takes the largest standardised mean difference."""
    return lambda signs: np.asarray(
        np.abs(_z_scores(signs, differences)).max(axis=1), dtype=np.float64
    )


def _largest_squares(differences: Float32Array) -> SignMember:
    """Return the member that adds the largest squared z-scores."""

    def statistic(signs: Float32Array) -> FloatArray:
        largest = largest_of_rows(_z_scores(signs, differences) ** 2, TOP_COLUMNS)
        return np.asarray(largest.sum(axis=1), dtype=np.float64)

    return statistic


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


def _member_statistics(
    members: dict[str, SignMember], signs: Float32Array
) -> dict[str, FloatArray]:
    """Return every member's statistics, rows in blocks so that memory stays small."""
    blocks = [signs[i : i + _CHUNK] for i in range(0, len(signs), _CHUNK)]
    return {name: np.concatenate([f(block) for block in blocks]) for name, f in members.items()}


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
    n_right = float((scores > 0).sum()) + 0.5 * float((scores == 0).sum())
    order = np.argsort(-scores, kind="stable")
    return StatResult(
        value=n_right / n_pairs,
        interval=jeffreys_interval(round(n_right), n_pairs),
        p_value=p_value,
        n_reference=n_pairs,
        n_current=n_pairs,
        method=METHOD,
        seed=seed,
        details={
            "member_p_values": {name: permutation_p_value(s) for name, s in statistics.items()},
            "moved_features": _moved(prepared.style, list(FEATURE_NAMES)),
            "moved_words": _moved(prepared.words, prepared.word_names),
            "most_typical_pairs": [int(i) for i in chosen[order[:3]]],
            "n_permutations": len(next(iter(statistics.values()))) - 1,
        },
    )


def _moved(differences: Float32Array, names: list[str]) -> dict[str, float]:
    """Return the five columns that moved most, in standard errors of their mean difference."""
    if not names:
        return {}
    z = _z_scores(np.ones((1, len(differences)), dtype=np.float32), differences)[0]
    return most_moved(z, names)
