"""Has the model changed how it answers? A combination of style, word and meaning statistics.

Members, all on one matrix of permuted labels and given the prompt: over habits of style the largest
Kolmogorov-Smirnov distance, the twenty largest and the sum of all squared z-scores; a leave-one-out
kernel ridge prediction of the window from style and word shapes; the twenty largest squared
z-scores of sequences of word shapes and of words; the Jensen-Shannon divergence of openings and
endings; with embeddings the maximum mean discrepancy. Fisher's sum of their permutation ranks is
the test.

Sources: Westfall & Young 1993; Lopez-Paz & Oquab 2017 (classifier two-sample tests); Gretton et
al. 2012; Stamatatos 2017 (word shapes); the design was chosen on real model versions
(docs/statistics.md). Null hypothesis: given prompt and stratum, the window says nothing about the
answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from include.freezeline.stats.calendar_words import without_dates
from include.freezeline.stats.conditioning import (
    centre_kernel,
    gaussian_kernel,
    leave_one_out_smoother,
    residuals,
    unit_diagonal,
)
from include.freezeline.stats.matching import Matching, match_prompts, reading_order
from include.freezeline.stats.members import (
    Member,
    energy_member,
    js_member,
    ks_member,
    meaning_member,
    standardised,
    word_member,
)
from include.freezeline.stats.permutation import (
    Float32Array,
    LabelMatrix,
    label_matrix,
    permutation_p_value,
    quadratic_form,
    shared_strata,
    staged_test,
)
from include.freezeline.stats.prompts import prompt_smoother, too_strange
from include.freezeline.stats.recognition import recognised_beyond_chance
from include.freezeline.stats.result import (
    BoolArray,
    FloatArray,
    IntArray,
    StatResult,
    insufficient,
    most_moved,
)
from include.freezeline.stats.shapes import shape_presence
from include.freezeline.stats.style import (
    EDGES,
    FEATURE_NAMES,
    normal_scores,
    style_matrix,
)
from include.freezeline.stats.vocabulary import bucket_counts, told_words, word_presence

METHOD = "conditional_combination"
_BUCKETS = 256
_LABEL_RIDGE = 5.0
_CHUNK = 1000
_MIN_EMBEDDED = 3


@dataclass(frozen=True, slots=True)
class AnswerSample:
    """Answers of both windows, row by row.

    Attributes:
        texts: The answers.
        is_current: Which of them belong to the current window.
        prompts: What was asked; None when unknown, then nothing is conditioned on.
        embeddings: Embeddings of the answers; a row of NaN where an answer was not embedded.
        prompt_embeddings: Embeddings of the prompts; their words are used when None.
        strata: Groups inside which labels are permuted.
    """

    texts: Sequence[str]
    is_current: BoolArray
    prompts: Sequence[str] | None = None
    embeddings: Float32Array | None = None
    prompt_embeddings: Float32Array | None = None
    strata: IntArray | None = None


@dataclass(frozen=True, slots=True)
class _Prepared:
    """Everything that does not depend on the labels; of words those that a verdict may name."""

    style: Float32Array
    words: Float32Array
    word_names: list[str]
    predictor: Float32Array
    members: dict[str, Member]


def conditional_combination_test(
    sample: AnswerSample, *, seed: int, n_permutations: int = 499, n_refined: int = 9999
) -> StatResult:
    """Test whether answers changed given their prompts.

    The value is how often an answer of the current window looks newer than one of the reference in
    the leave-one-out prediction, beyond what permuted windows give. 0.5 is no difference.

    Args:
        sample: Answers of both windows.
        seed: Seed of the permutations.
        n_permutations: Permutations of the screening stage.
        n_refined: Permutations when the screening p-value is at most 10%.
    """
    n_current = int(sample.is_current.sum())
    n_reference = len(sample.texts) - n_current
    problem = _problem(sample, n_reference, n_current)
    if problem:
        return insufficient(METHOD, problem, n_reference, n_current)
    base = _base_strata(sample)
    read = reading_order(sample.texts, sample.prompts, sample.is_current, base, seed)
    sample = _rows_of(sample, read)
    matching = match_prompts(sample.prompts, sample.is_current, base[read])
    sample = replace(sample, strata=matching.strata)
    smoother = _smoother(sample)
    problem = too_strange(smoother, sample.is_current)
    if problem:
        return insufficient(METHOD, problem, n_reference, n_current)
    prepared = _prepare(sample, smoother, matching)
    strata = _permutation_strata(sample)
    statistics, p_value = staged_test(
        partial(_member_statistics, prepared.members, sample.is_current, strata),
        n_permutations,
        n_refined,
        seed,
    )
    result = _result(sample, read, prepared, statistics, p_value, seed)
    sizes = {
        "n_answers": [n_reference, n_current],
        "is_subsampled": len(read) < n_reference + n_current,
        "n_matched": int((matching.twins >= 0).sum()),
    }
    return replace(result, details={**result.details, **sizes})


def _problem(sample: AnswerSample, n_reference: int, n_current: int) -> str | None:
    """Say why the windows cannot be compared."""
    if min(n_reference, n_current) < 2:
        return "fewer than two answers in a window"
    if len(set(sample.texts)) == 1:
        return "all answers are equal"
    return None


def _rows_of(sample: AnswerSample, rows: IntArray) -> AnswerSample:
    """Return some rows of a sample, in their order."""

    def part(values: Any) -> Any:
        return None if values is None else values[rows]

    return AnswerSample(
        texts=[sample.texts[i] for i in rows],
        is_current=sample.is_current[rows],
        prompts=None if sample.prompts is None else [sample.prompts[i] for i in rows],
        embeddings=part(sample.embeddings),
        prompt_embeddings=part(sample.prompt_embeddings),
        strata=part(sample.strata),
    )


def _base_strata(sample: AnswerSample) -> IntArray:
    """Return the given strata, or one for all."""
    if sample.strata is not None:
        return sample.strata
    return np.zeros(len(sample.texts), dtype=np.int64)


def _embedded(sample: AnswerSample) -> BoolArray:
    """Return the answers that the meaning member uses: embedded, with both windows' company."""
    if sample.embeddings is None:
        return np.zeros(len(sample.texts), dtype=np.bool_)
    known = np.asarray(np.isfinite(sample.embeddings[:, 0]), dtype=np.bool_)
    strata = np.where(known, _base_strata(sample), -1)
    return np.asarray(known & shared_strata(sample.is_current, strata, 1), dtype=np.bool_)


def _permutation_strata(sample: AnswerSample) -> IntArray:
    """Return the strata, embedded answers apart, so that every member keeps its sizes."""
    return np.asarray(2 * _base_strata(sample) + _embedded(sample), dtype=np.int64)


def _prepare(sample: AnswerSample, smoother: Float32Array | None, matching: Matching) -> _Prepared:
    """Compute features, take out what the prompts explain, and make the members."""
    texts = without_dates(sample.texts)
    style = residuals(smoother, normal_scores(style_matrix(texts)))
    shapes = residuals(smoother, shape_presence(texts))
    presence, names = word_presence(texts)
    words = residuals(smoother, presence)
    predictor = _predictor(style, shapes)
    # The answer to one's own prompt in the other window would be read as the opposite window.
    predictor[matching.are_twins] = 0.0
    edges = [bucket_counts([edge(text) for text in texts], _BUCKETS) for edge in EDGES]
    members: dict[str, Member] = {
        "style": ks_member(style),
        "style_sum": energy_member(style),
        "style_top": word_member(style),
        "prediction": lambda labels: quadratic_form(labels, predictor),
        "openings": js_member(edges),
    }
    if shapes.shape[1]:
        members["shapes"] = word_member(shapes)
    if names:
        members["words"] = word_member(words)
    embedded = np.flatnonzero(_embedded(sample))
    if sample.embeddings is not None and len(embedded) > _MIN_EMBEDDED:
        members["meaning"] = meaning_member(sample.embeddings, embedded, smoother)
    told = told_words(presence)
    return _Prepared(style, words[:, told], [names[i] for i in told], predictor, members)


def _smoother(sample: AnswerSample) -> Float32Array | None:
    """Return the leave-one-out smoother over prompts, None without prompts."""
    if sample.prompts is None:
        return None
    return prompt_smoother(sample.prompts, sample.prompt_embeddings)


def _predictor(style: Float32Array, shapes: Float32Array) -> Float32Array:
    """Return the leave-one-out predictor of the labels from style and word shapes."""
    kernel = unit_diagonal(centre_kernel(gaussian_kernel(style)))
    if shapes.shape[1]:
        scaled = standardised(shapes)
        kernel = kernel + unit_diagonal(centre_kernel(scaled @ scaled.T))
    return leave_one_out_smoother(kernel, _LABEL_RIDGE)


def _member_statistics(
    members: dict[str, Member],
    is_current: BoolArray,
    strata: IntArray,
    n_permutations: int,
    rng: np.random.Generator,
) -> dict[str, FloatArray]:
    """Return every member's statistics, rows in blocks so that memory stays small."""
    labels = label_matrix(is_current, n_permutations, rng, strata)
    starts = range(0, n_permutations + 1, _CHUNK)
    blocks = [
        LabelMatrix(labels.current[i : i + _CHUNK], labels.reference[i : i + _CHUNK])
        for i in starts
    ]
    return {name: np.concatenate([f(block) for block in blocks]) for name, f in members.items()}


def _result(
    sample: AnswerSample,
    read: IntArray,
    prepared: _Prepared,
    statistics: dict[str, FloatArray],
    p_value: float,
    seed: int,
) -> StatResult:
    """Describe the effect: how well windows can be told apart, and by what."""
    is_current = sample.is_current
    scores = prepared.predictor @ np.where(is_current, 1.0, -1.0).astype(np.float32)
    strata = _permutation_strata(sample)
    value, interval, area = recognised_beyond_chance(prepared.predictor, is_current, strata, seed)
    return StatResult(
        value=value,
        interval=interval,
        p_value=p_value,
        n_reference=int((~is_current).sum()),
        n_current=int(is_current.sum()),
        method=METHOD,
        method_version="5",
        seed=seed,
        details={
            "member_p_values": {name: permutation_p_value(s) for name, s in statistics.items()},
            "area_under_curve": area,
            "moved_features": _moved(prepared.style, list(FEATURE_NAMES), is_current),
            "moved_words": _moved(prepared.words, prepared.word_names, is_current),
            "most_typical_rows": [
                int(i) for i in read[is_current][np.argsort(-scores[is_current])][:3]
            ],
            "n_permutations": len(next(iter(statistics.values()))) - 1,
        },
    )


def _moved(columns: Float32Array, names: list[str], is_current: BoolArray) -> dict[str, float]:
    """Return the five columns whose mean moved most, in standard deviations."""
    spread = columns.std(axis=0)
    shift = columns[is_current].mean(axis=0) - columns[~is_current].mean(axis=0)
    return most_moved(shift / np.where(spread > 0, spread, np.inf), names)
