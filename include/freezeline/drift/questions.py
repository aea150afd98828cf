"""The drift questions: planned rows in, a finding with its effect in words out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from include.freezeline.drift.effect_words import (
    auc_words,
    divergence_words,
    paired_words,
    recognised_words,
)
from include.freezeline.drift.evidence import texts_query
from include.freezeline.drift.findings import Finding
from include.freezeline.drift.plans import (
    Plan,
    plan_output_divergence,
    plan_paired,
    plan_semantic_shift,
    plan_style_paired,
)
from include.freezeline.drift.policy import DriftPolicy
from include.freezeline.drift.segments import SegmentTexts, TextRow
from include.freezeline.drift.windows import Window
from include.freezeline.stats.combination import METHOD as COMBINATION
from include.freezeline.stats.combination import (
    AnswerSample,
    conditional_combination_test,
)
from include.freezeline.stats.divergence import METHOD as DIVERGENCE
from include.freezeline.stats.divergence import divergence_test
from include.freezeline.stats.matching import reading_order
from include.freezeline.stats.permutation import Float32Array, shared_strata
from include.freezeline.stats.prompts import MAX_STRATA, strangers, topic_strata
from include.freezeline.stats.replicated import METHOD as REPLICATED_METHOD
from include.freezeline.stats.replicated import Triples, replicated_combination_test
from include.freezeline.stats.result import BoolArray, IntArray, StatResult, insufficient
from include.freezeline.stats.semantic import METHOD as PAIRED_METHOD
from include.freezeline.stats.semantic import cosine_distances, paired_semantic_score

Vectors = Mapping[str, Float32Array]
Planner = Callable[[SegmentTexts, Window, DriftPolicy], Plan]
Asker = Callable[[Plan, Vectors, DriftPolicy], Finding]
_EXAMPLES = 3


def ask_semantic_shift(plan: Plan, vectors: Vectors, policy: DriftPolicy) -> Finding:
    """Ask whether organic answers changed, given prompt and prompt version."""
    result = _short(plan, COMBINATION) or _combination(plan, vectors, policy)
    minimum = policy.questions.semantic_shift.min_effect
    return _finding(plan, result, result.value, minimum, minimum, auc_words(result))


def ask_output_divergence(plan: Plan, _vectors: Vectors, policy: DriftPolicy) -> Finding:
    """Ask whether words, openings or lengths of answers moved, given topic and version."""
    minimum = policy.questions.output_divergence.min_effect
    result = _short(plan, DIVERGENCE) or _divergence(plan, policy)
    effect = result.details.get("excess_nats")
    threshold = result.details["chance_median_nats"] + minimum if result.is_sufficient else None
    return _finding(plan, result, effect, minimum, threshold, divergence_words(result))


def ask_paired(plan: Plan, vectors: Vectors, policy: DriftPolicy) -> Finding:
    """Ask whether answers to the fixed probes moved away from their reference answers."""
    minimum = policy.questions.semantic_shift_paired.min_effect
    result = _short(plan, PAIRED_METHOD) or _paired(plan, vectors, policy)
    effect = result.details.get("excess_score")
    threshold = result.details["reference_score"] + minimum if result.is_sufficient else None
    return _finding(plan, result, effect, minimum, threshold, paired_words(result))


def ask_style_paired(plan: Plan, vectors: Vectors, policy: DriftPolicy) -> Finding:
    """Ask whether answers to the fixed probes are written otherwise than their references."""
    minimum = policy.questions.style_shift_paired.min_effect
    result = _short(plan, REPLICATED_METHOD) or _replicated(plan, vectors, policy)
    return _finding(plan, result, result.value, minimum, minimum, recognised_words(result))


QUESTIONS: Mapping[str, tuple[Planner, Asker]] = {
    "semantic_shift": (plan_semantic_shift, ask_semantic_shift),
    "semantic_shift_paired": (plan_paired, ask_paired),
    "style_shift_paired": (plan_style_paired, ask_style_paired),
    "output_divergence": (plan_output_divergence, ask_output_divergence),
}


def _short(plan: Plan, method: str) -> StatResult | None:
    """Return the insufficient result when the plan says so."""
    if plan.reason is None:
        return None
    return insufficient(method, plan.reason, len(plan.reference), len(plan.current))


def _combination(plan: Plan, vectors: Vectors, policy: DriftPolicy) -> StatResult:
    """Compare answers inside topics of prompts, so that other questions are no drift."""
    strata, keep = _topic_strata(plan)
    needed = policy.questions.semantic_shift.min_current
    reason = _too_few_in_common(plan.is_current[keep], needed)
    if reason:
        return insufficient(COMBINATION, reason, len(plan.reference), len(plan.current))
    rows = [row for row, kept in zip(plan.rows, keep, strict=True) if kept]
    result = conditional_combination_test(
        AnswerSample(
            texts=[row.answer for row in rows],
            is_current=plan.is_current[keep],
            prompts=[row.prompt for row in rows],
            embeddings=_embedded(plan, vectors)[keep],
            strata=strata[keep],
        ),
        seed=plan.seed(policy),
        n_permutations=policy.permutations.screen,
        n_refined=policy.permutations.refine,
    )
    return _with_keys(result, "most_typical_rows", rows)


def _divergence(plan: Plan, policy: DriftPolicy) -> StatResult:
    """Compare distributions inside topics of prompts."""
    strata, keep = _topic_strata(plan)
    rows = [row for row, kept in zip(plan.rows, keep, strict=True) if kept]
    needed = policy.questions.output_divergence.min_current
    seed, is_current = plan.seed(policy), plan.is_current[keep]
    prompts, answers = [row.prompt for row in rows], [row.answer for row in rows]
    # Two matrices of all pairs of prompts, as in the combination test, and capped like them.
    read = reading_order(answers, prompts, is_current, strata[keep], seed)
    reason = _too_few_in_common(is_current, needed) or strangers(
        [prompts[i] for i in read], is_current[read]
    )
    if reason:
        return insufficient(DIVERGENCE, reason, len(plan.reference), len(plan.current))
    result = divergence_test(
        answers,
        is_current,
        seed=seed,
        strata=strata[keep],
        n_permutations=policy.permutations.screen,
        n_refined=policy.permutations.refine,
    )
    return _with_keys(result, "most_moving_rows", rows)


def _paired(plan: Plan, vectors: Vectors, policy: DriftPolicy) -> StatResult:
    """Score probe answers; the examples are those that moved farthest from their reference."""
    current, reference, replicate = (
        _matrix(rows, vectors) for rows in (plan.current, plan.reference, plan.replicates)
    )
    result = paired_semantic_score(
        current,
        reference,
        replicate,
        seed=plan.seed(policy),
        n_flips=policy.permutations.refine,
        min_pairs=policy.questions.semantic_shift_paired.min_current,
    )
    if not result.is_sufficient:
        return result
    moved = cosine_distances(current, reference) - cosine_distances(replicate, reference)
    farthest = [int(i) for i in np.argsort(-moved, kind="stable")[:_EXAMPLES]]
    details = {**result.details, "farthest_rows": farthest}
    return _with_keys(replace(result, details=details), "farthest_rows", plan.current)


def _replicated(plan: Plan, vectors: Vectors, policy: DriftPolicy) -> StatResult:
    """Compare how probe answers are written; the examples are the most recognisable ones."""
    parts = (plan.reference, plan.replicates, plan.current)
    reference, replicate, current = ([row.answer for row in rows] for rows in parts)
    before, between, after = (_matrix(rows, vectors) for rows in parts)
    result = replicated_combination_test(
        Triples(reference, replicate, current, (before, between, after)),
        seed=plan.seed(policy),
        n_permutations=policy.permutations.screen,
        n_refined=policy.permutations.refine,
    )
    return _with_keys(result, "most_typical_pairs", plan.current)


def _with_keys(result: StatResult, name: str, rows: Sequence[TextRow]) -> StatResult:
    """Put call keys in the place of row numbers, which mean nothing to a reader of the verdict."""
    details = dict(result.details)
    keys = [rows[i].call_key for i in details.pop(name, ())]
    return replace(result, details={**details, "example_call_keys": keys})


def _topic_strata(plan: Plan) -> tuple[IntArray, BoolArray]:
    """Return strata of version, retrieval, tenant and topic, and which rows have both windows' company."""
    given = plan.strata
    strata = np.zeros(len(given), dtype=np.int64)
    for number in np.unique(given):
        rows = np.flatnonzero(given == number)
        topics = topic_strata([plan.rows[i].prompt for i in rows])
        strata[rows] = number * MAX_STRATA + topics
    return strata, shared_strata(plan.is_current, strata)


def _too_few_in_common(is_current: BoolArray, needed: int) -> str | None:
    """Say that too few answers are about what both windows are about; None when they are enough."""
    n_current = int(is_current.sum())
    fewest = min(n_current, len(is_current) - n_current)
    if fewest >= needed:
        return None
    return (
        f"{fewest} answers of a window are about topics of prompts that both windows have, at least "
        f"{needed} are needed"
    )


def _embedded(plan: Plan, vectors: Vectors) -> Float32Array:
    """Return a row per answer, NaN for those that are not embedded."""
    chosen = {row.call_key for row in plan.to_embed}
    size = len(next(iter(vectors.values())))
    rows = np.full((len(plan.rows), size), np.nan, dtype=np.float32)
    for position, row in enumerate(plan.rows):
        if row.call_key in chosen:
            rows[position] = vectors[row.answer]
    return rows


def _matrix(rows: tuple[TextRow, ...], vectors: Vectors) -> Float32Array:
    """Return the embeddings of the rows' answers."""
    return np.stack([vectors[row.answer] for row in rows])


def _finding(
    plan: Plan,
    result: StatResult,
    effect: float | None,
    min_effect: float,
    threshold: float | None,
    effect_text: str,
) -> Finding:
    """Put the answer together."""
    segment, reference = plan.texts.segment, plan.texts.reference_span
    is_divergence = plan.question == "output_divergence"
    return Finding(
        family="divergence" if is_divergence else "drift",
        question=plan.question,
        segment=segment,
        window=plan.window,
        reference=reference,
        result=result,
        effect=effect,
        min_effect=min_effect,
        threshold=threshold,
        unit="nats" if is_divergence else "score",
        effect_text=effect_text,
        evidence_query=texts_query(
            segment, plan.window, reference, is_canary=plan.question.endswith("_paired")
        ),
        inputs=plan.input_hash(),
        details={
            "prompt_versions": sorted({row.prompt_version for row in plan.current}),
            "n_embedded": len(plan.to_embed),
            "sampling": plan.sampling,
        },
        examples=_examples(plan, result),
    )


def _examples(plan: Plan, result: StatResult) -> tuple[TextRow, ...]:
    """Return the current answers that the statistic names."""
    by_key = {row.call_key: row for row in plan.current}
    return tuple(by_key[key] for key in result.details.get("example_call_keys", ()))
