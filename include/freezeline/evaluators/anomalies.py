"""Answers whose structure is unlike their class: which, how sure, and what stands out.

A class is feature x environment x model x prompt version. Its usual answers are earlier ones, so
that a whole class that changed is found by the drift questions and not here: where more than a
fifth of a class stands out, the reason says so, and its answers are judged apart, since among so
many findings a tenth of false ones would be ordinary answers of the other classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from include.freezeline.evaluators.kinds import KIND_NAMES, events_of
from include.freezeline.evaluators.relevance import Embedder
from include.freezeline.evaluators.shape import LEAST_STEPS, STRUCTURE_NAMES, structure_matrix
from include.freezeline.evaluators.undated import without_values
from include.freezeline.hashing import stable_hash
from include.freezeline.stats.multiplicity import adjusted_p_values
from include.freezeline.stats.outliers import (
    LEAST_REFERENCE,
    Outliers,
    Rows,
    outlier_p_values,
    step_units,
)
from include.freezeline.stats.permutation import Float32Array
from include.freezeline.stats.result import FloatArray
from include.freezeline.stats.vocabulary import tf_idf

NAME = "structure"
VERSION = "3"
_N_COLUMNS = 2048
_MANY_SHARE, _MANY_COUNT = 0.2, 5
# Where many answers stand out, Benjamini-Hochberg alone would call p-values near the level findings.
_MOST_P = 0.01


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with its prompt.

    Attributes:
        call_key: Key of the call.
        prompt: What was asked; None when it was not kept.
        answer: The answer.
    """

    call_key: str
    prompt: str | None
    answer: str


@dataclass(frozen=True, slots=True)
class InputClass:
    """Answers of one class.

    Attributes:
        name: The class, unique in a night.
        reference: Earlier answers.
        judged: Answers to judge.
    """

    name: str
    reference: tuple[Answer, ...]
    judged: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Anomaly:
    """How a judged answer compares with its class.

    Attributes:
        call_key: Key of the call.
        class_name: Its class.
        p_value: Chance that an ordinary answer is as unusual; None for a small class.
        q_value: The same after false-discovery control over the night, without the classes that
            changed as a whole; in such a class over its own answers.
        conformal_p_value: The p-value without the continued tail.
        is_anomaly: Whether the q-value is at most the level, and the p-value at most 0.01; None
            for a small class.
        features: What stands out most.
        reason: Why, in words.
    """

    call_key: str
    class_name: str
    p_value: float | None
    q_value: float | None
    conformal_p_value: float | None
    is_anomaly: bool | None
    features: tuple[str, ...]
    reason: str


def find_anomalies(
    classes: Sequence[InputClass],
    *,
    min_reference: int,
    level: float,
    seed: int,
    embed: Embedder | None = None,
) -> list[Anomaly]:
    """Judge the answers of a night, all classes together.

    Args:
        classes: The classes.
        min_reference: Classes with fewer earlier answers are insufficient evidence; at least
            ``LEAST_REFERENCE``.
        level: Expected share of false findings among the findings.
        seed: Seeds of the classes derive from it and their names.
        embed: Turns texts into vectors; words are compared when None.
    """
    needed = max(min_reference, LEAST_REFERENCE)
    # In order of names and keys, so that neither sums over all nor halves depend on who asks.
    large = sorted(
        (_ordered(each) for each in classes if len(each.reference) >= needed and each.judged),
        key=lambda each: each.name,
    )
    matrices = [
        structure_matrix(without_values([row.answer for row in _all(each)])) for each in large
    ]
    units = step_units(np.vstack(matrices), LEAST_STEPS) if matrices else np.zeros(0)
    results = [
        _judge(each, matrix, units, seed, embed)
        for each, matrix in zip(large, matrices, strict=True)
    ]
    found: list[Anomaly] = []
    for each, result, q_values in zip(large, results, _q_values(results), strict=True):
        found += _described(each, result, q_values, level)
    return found + [
        _unknown(each, row, needed)
        for each in classes
        if len(each.reference) < needed
        for row in each.judged
    ]


def _ordered(each: InputClass) -> InputClass:
    """Return a class with its earlier answers in order of their keys."""
    return replace(each, reference=tuple(sorted(each.reference, key=lambda row: row.call_key)))


def _all(each: InputClass) -> list[Answer]:
    """Return earlier and judged answers of a class."""
    return [*each.reference, *each.judged]


def _judge(
    each: InputClass, matrix: FloatArray, units: FloatArray, seed: int, embed: Embedder | None
) -> Outliers:
    """Return how unusual the judged answers of a class are."""
    rows = _all(each)
    vectors, prompts = _vectors(rows, embed)
    known = Rows(matrix, vectors, prompts, events_of([row.answer for row in rows]))
    n = len(each.reference)
    own_seed = int(stable_hash(seed, NAME, each.name)[:12], 16)
    return outlier_p_values(
        known.pick(np.arange(n)),
        known.pick(np.arange(n, len(rows))),
        (*STRUCTURE_NAMES, *KIND_NAMES),
        units,
        seed=own_seed,
    )


def _vectors(rows: Sequence[Answer], embed: Embedder | None) -> tuple[Float32Array, Float32Array]:
    """Return vectors of answers and prompts; those of unknown prompts are zeros."""
    texts = [row.answer for row in rows] + [row.prompt or "" for row in rows]
    # Embeddings hardly move by a date, and those of the texts as they are may be in the cache.
    vectors = tf_idf(without_values(texts), _N_COLUMNS) if embed is None else embed(texts)
    answers, prompts = vectors[: len(rows)], vectors[len(rows) :].copy()
    prompts[[not row.prompt for row in rows]] = 0.0
    return answers, prompts


def _q_values(results: Sequence[Outliers]) -> list[list[float]]:
    """Return q-values by class: over all classes together, of changed ones each apart."""
    together = [float(p) for each in results if not _is_changed(each) for p in each.p_values]
    joint = iter(adjusted_p_values(together))
    return [
        adjusted_p_values([float(p) for p in each.p_values])
        if _is_changed(each)
        else [next(joint) for _ in each.p_values]
        for each in results
    ]


def _is_changed(result: Outliers) -> bool:
    """Whether so many answers of a class stand out that it is the class that changed."""
    n_odd = int((result.p_values <= _MOST_P).sum())
    return n_odd >= _MANY_COUNT and n_odd > _MANY_SHARE * len(result.p_values)


def _described(
    each: InputClass, result: Outliers, q_values: Sequence[float], level: float
) -> list[Anomaly]:
    """Put the results of a class into words."""
    p_values = [float(p) for p in result.p_values]
    is_found = [q <= level and p <= _MOST_P for q, p in zip(q_values, p_values, strict=True)]
    n_many = sum(is_found) if _is_changed(result) else 0
    return [
        Anomaly(
            call_key=row.call_key,
            class_name=each.name,
            p_value=p_values[i],
            q_value=q_values[i],
            conformal_p_value=float(result.conformal_p_values[i]),
            is_anomaly=is_found[i],
            features=result.features[i],
            reason=_reason(result, i, n_many, is_found=is_found[i]),
        )
        for i, row in enumerate(each.judged)
    ]


def _reason(result: Outliers, place: int, n_many: int, *, is_found: bool) -> str:
    """Say how unusual an answer is, what stands out, and of how many."""
    said = (
        f"p = {result.p_values[place]:.2g} among {result.n_calibrated} earlier answers; "
        f"stands out in {', '.join(result.features[place]) or 'nothing'}"
    )
    many = f"; {n_many} of its class stand out, so the class may have changed" if n_many else ""
    return said + (many if is_found else "")


def _unknown(each: InputClass, row: Answer, min_reference: int) -> Anomaly:
    """Return what is said of an answer of a small class."""
    reason = (
        f"insufficient_evidence: {len(each.reference)} earlier answers of its class, "
        f"{min_reference} needed"
    )
    return Anomaly(row.call_key, each.name, None, None, None, None, (), reason)
