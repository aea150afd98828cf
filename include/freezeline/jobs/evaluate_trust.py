"""Measure evaluators on answers that people evaluated, and a judge on pairs in both orders.

This is asked before the night's sample is scored: a judge has a limit of calls, and scores of a
judge that nobody measured say nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from include.freezeline.evaluators.interface import Evaluator, Item, evaluate
from include.freezeline.evaluators.judge import Judge, Preference, compare
from include.freezeline.evaluators.policy import EvaluatorPolicy
from include.freezeline.evaluators.rows import Scorer, agreement_row
from include.freezeline.evaluators.trust import Labelled, agreement, judge_bias, weighted_counts
from include.freezeline.jobs.evaluate_night import Night, Scores, by_key, items_of
from include.freezeline.jobs.evaluate_reads import AnswerRow, load_labelled


@dataclass(frozen=True, slots=True)
class Known:
    """What is asked to measure an evaluator.

    Attributes:
        labelled: Answers that people evaluated.
        scores: The evaluator's scores of them.
        preferences: Pairs that a judge compared in both orders.
    """

    labelled: Sequence[Labelled] = ()
    scores: Scores = field(default_factory=dict)
    preferences: Sequence[Preference] = ()


def ask_known(night: Night, evaluator: Evaluator, items: Sequence[Item]) -> Known:
    """Score answers that people evaluated, where they evaluated what this evaluator does.

    Args:
        night: The night.
        evaluator: Who scores.
        items: The night's sample, from which a judge is given pairs.
    """
    kind = night.policy.evaluators.of(evaluator.name).labels
    if kind is None:
        return Known()
    rows, labelled = load_labelled(night.warehouse, night.policy.sampling, kind, night.as_of)
    ask = night.models.ask
    if not labelled or not isinstance(evaluator, Judge) or ask is None:
        return Known(labelled, by_key(evaluate(evaluator, items_of(night, rows))))
    most, judge = _most_labelled(night.policy), night.policy.judge
    scores = by_key(evaluate(evaluator, items_of(night, rows[:most])))
    pairs = different_pairs(items, judge.max_pairs)
    return Known(labelled[:most], scores, compare(ask, pairs, judge.criterion))


def trust_rows(
    night: Night,
    evaluator: Evaluator,
    scorer: Scorer,
    known: Known,
    sample: Sequence[AnswerRow],
    scores: Scores,
) -> list[dict[str, Any]]:
    """Return the rows of how far an evaluator can be trusted; none where people said nothing.

    Args:
        night: The night.
        evaluator: Who scored.
        scorer: The same, as rows name it.
        known: What was asked to measure it.
        sample: The night's sample.
        scores: Its scores of the sample.
    """
    if not known.labelled:
        return []
    policy = night.policy
    # Probes are no users' answers: they say nothing of what users got.
    said = [(scorer.is_bad(scores[row.call_key]), row.weight)
            for row in sample if not row.segment.is_canary]  # fmt: skip
    found = agreement(
        known.labelled,
        known.scores,
        is_high_bad=evaluator.is_high_bad,
        threshold=scorer.threshold,
        night=weighted_counts([(bad, weight) for bad, weight in said if bad is not None]),
        min_each=policy.min_labels,
        seed=policy.seed,
    )
    if isinstance(evaluator, Judge):
        families = policy.judge.family_prefixes
        swayed = judge_bias(known.labelled, known.scores, families, known.preferences, policy.seed)
        found |= swayed
    return [
        agreement_row(night.as_of, scorer.name, scorer.version, question, result)
        for question, result in found.items()
    ]


def different_pairs(items: Sequence[Item], most: int) -> list[tuple[str, str, str]]:
    """Return prompts with two different answers, each two once.

    Args:
        items: Answers with the other answers to their prompts.
        most: Pairs at most.
    """
    found: dict[tuple[str, ...], tuple[str, str, str]] = {}
    for item in items:
        prompt, answer = item.prompt or "", item.answer or ""
        other = next((each for each in item.replicas if each != answer), None)
        if other is not None:
            found.setdefault((prompt, *sorted((answer, other))), (prompt, answer, other))
    return list(found.values())[:most]


def _most_labelled(policy: EvaluatorPolicy) -> int:
    """Return how many labelled answers a judge is asked: half of what pairs leave of its calls."""
    return max(0, policy.judge.max_calls - 2 * policy.judge.max_pairs) // 2
