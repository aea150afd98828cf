"""Evaluate a sample of the night's answers, and find those unlike their class."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from include.freezeline.adapters.judge_endpoint import open_judge
from include.freezeline.adapters.lake import Lake
from include.freezeline.adapters.text_models import (
    open_entailment,
    open_relevance,
    open_toxicity,
)
from include.freezeline.adapters.warehouse import Warehouse
from include.freezeline.config import config_dir
from include.freezeline.contracts.judgement import CALL_SCORES, EVALUATOR_AGREEMENTS
from include.freezeline.evaluators.anomalies import Answer, InputClass, find_anomalies
from include.freezeline.evaluators.composite import NAME as COMPOSITE
from include.freezeline.evaluators.composite import VERSION as COMPOSITE_VERSION
from include.freezeline.evaluators.composite import Part, composite_scores
from include.freezeline.evaluators.interface import Evaluator, Item, Score, evaluate
from include.freezeline.evaluators.judge import Judge, compare
from include.freezeline.evaluators.policy import EvaluatorPolicy, load_evaluator_policy
from include.freezeline.evaluators.registry import (
    Models,
    build_evaluators,
    threshold_of,
    weights_of,
)
from include.freezeline.evaluators.relevance import Embedder
from include.freezeline.evaluators.rows import Scorer, agreement_row, anomaly_row, score_row
from include.freezeline.evaluators.trust import NightCounts, agreement, judge_bias
from include.freezeline.jobs.evaluate_reads import (
    AnswerRow,
    Segment,
    load_chunks,
    load_labelled,
    load_replicas,
    load_sample,
    load_window,
)
from include.freezeline.settings import Settings

Scores = Mapping[str, Score]


@dataclass(frozen=True, slots=True)
class EvaluateSummary:
    """What evaluating found.

    Attributes:
        n_answers: Answers that were evaluated.
        n_bad: Scores on the bad side, the composite's included.
        n_anomalies: Answers unlike their class.
        n_written: Rows that said something new.
        cost_usd: What asking a judge cost, as far as prices are known.
    """

    n_answers: int
    n_bad: int
    n_anomalies: int
    n_written: int
    cost_usd: float

    def describe(self) -> str:
        """Return the summary as one sentence."""
        return (
            f"{self.n_answers} answers evaluated: {self.n_bad} bad scores, "
            f"{self.n_anomalies} unlike their class"
        )


@dataclass(frozen=True, slots=True)
class _Night:
    """What a night's evaluation works with."""

    warehouse: Warehouse
    lake: Lake
    policy: EvaluatorPolicy
    as_of: datetime
    evaluators: Sequence[Evaluator]
    ask: Models
    earlier: Mapping[Segment, Sequence[AnswerRow]]


def evaluate_answers(
    warehouse: Warehouse,
    settings: Settings,
    as_of: datetime,
    embed: Embedder,
    tell: Callable[[str], None],
) -> EvaluateSummary:
    """Evaluate the night's sample and write what was found.

    Args:
        warehouse: Open for writing, with its judgement tables.
        settings: Where lake and policy are, and which models there are.
        as_of: Exclusive end of what is known.
        embed: Turns texts into vectors.
        tell: Told what is being done.

    Raises:
        ConfigError: The policy or a model that a setting names cannot be used.
    """
    policy = load_evaluator_policy(config_dir(settings))
    models = _models(settings, policy, embed)
    earlier, window = load_window(warehouse, policy.sampling, as_of)
    evaluators = build_evaluators(policy, models)
    lake = Lake(settings.lake_dir)
    night = _Night(warehouse, lake, policy, as_of, evaluators, models, earlier)
    sample = load_sample(warehouse, policy.sampling, as_of)
    tell(f"evaluating {len(sample)} answers with {len(evaluators)} evaluators")
    rows, trust = _score(night, sample)
    if policy.structure.is_enabled:
        rows += _anomalies(night, window, embed)
    n_written = warehouse.append_revisions(CALL_SCORES, rows)
    n_written += warehouse.append_revisions(EVALUATOR_AGREEMENTS, trust)
    return _summary(len(sample), rows, n_written)


def _models(settings: Settings, policy: EvaluatorPolicy, embed: Embedder) -> Models:
    """Open what settings name."""
    return Models(
        embed=embed,
        entails=open_entailment(settings),
        relates=open_relevance(settings),
        rates_toxicity=open_toxicity(settings),
        ask=open_judge(settings, policy.judge),
        judge_model=settings.judge_model or "",
    )


def _score(
    night: _Night, sample: Sequence[AnswerRow]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Score a sample with every evaluator; return rows of scores and of agreement."""
    items = _items(night, sample)
    scores = {each.name: _by_key(evaluate(each, items)) for each in night.evaluators}
    scorers = [
        Scorer(each.name, each.version, threshold_of(night.policy, each), each.is_high_bad)
        for each in night.evaluators
    ]
    costs = next((e.costs_usd for e in night.evaluators if isinstance(e, Judge)), {})
    rows = [
        score_row(
            _subject(night, row),
            scorer,
            scores[scorer.name][row.call_key],
            costs.get(row.call_key) if scorer.name == Judge.name else None,
        )
        for scorer in scorers
        for row in sample
    ]
    rows += _composite_rows(night, sample, scores)
    trust = [
        agreement_row(night.as_of, scorer.name, scorer.version, question, result)
        for evaluator, scorer in zip(night.evaluators, scorers, strict=True)
        for question, result in _trust(night, evaluator, scorer, scores[scorer.name], items).items()
    ]
    return rows, trust


def _items(night: _Night, answers: Sequence[AnswerRow]) -> list[Item]:
    """Read what evaluators look at beside each answer."""
    keys = [row.call_key for row in answers]
    sampling = night.policy.sampling
    chunks = load_chunks(night.warehouse, night.lake, answers, night.as_of)
    replicas = load_replicas(night.warehouse, sampling, keys, night.as_of)
    peers = {segment: tuple(r.answer for r in rows) for segment, rows in night.earlier.items()}
    return [
        Item(
            call_key=row.call_key,
            answer=row.answer,
            prompt=row.prompt,
            chunks=chunks.get(row.call_key, ()),
            schema=night.policy.formats.get(row.segment.feature),
            replicas=replicas.get(row.call_key, ()),
            peers=peers.get(row.segment, ()),
        )
        for row in answers
    ]


def _composite_rows(
    night: _Night, sample: Sequence[AnswerRow], scores: Mapping[str, Scores]
) -> list[dict[str, Any]]:
    """Return the rows of the composite score."""
    setting, weights = night.policy.evaluators.composite, weights_of(night.policy)
    if not setting.is_enabled:
        return []
    parts = [Part(e, weights[e.name], scores[e.name]) for e in night.evaluators]
    scorer = Scorer(COMPOSITE, COMPOSITE_VERSION, setting.threshold, is_high_bad=False)
    found = composite_scores([row.call_key for row in sample], parts)
    return [
        score_row(_subject(night, row), scorer, score, None)
        for row, score in zip(sample, found, strict=True)
    ]


def _trust(
    night: _Night, evaluator: Evaluator, scorer: Scorer, scores: Scores, items: Sequence[Item]
) -> dict[str, Any]:
    """Measure an evaluator against what people said, where they said anything."""
    policy = night.policy
    kind = policy.evaluators.of(evaluator.name).labels
    if kind is None:
        return {}
    rows, labelled = load_labelled(night.warehouse, policy.sampling, kind, night.as_of)
    if not labelled:
        return {}
    known = _by_key(evaluate(evaluator, _items(night, rows)))
    said = [scorer.is_bad(score) for score in scores.values()]
    found = agreement(
        labelled,
        known,
        is_high_bad=evaluator.is_high_bad,
        threshold=scorer.threshold,
        night=NightCounts(said.count(True), len(said) - said.count(None)),
        min_each=policy.min_labels,
        seed=policy.seed,
    )
    if not isinstance(evaluator, Judge) or night.ask.ask is None:
        return found
    pairs = [(i.prompt or "", i.answer or "", i.replicas[0]) for i in items if i.replicas]
    preferences = compare(night.ask.ask, pairs[: policy.judge.max_pairs], policy.judge.criterion)
    families = policy.judge.family_prefixes
    return found | judge_bias(labelled, known, families, preferences, policy.seed)


def _anomalies(
    night: _Night, window: Mapping[Segment, Sequence[AnswerRow]], embed: Embedder
) -> list[dict[str, Any]]:
    """Return the rows of answers held against their class."""
    policy = night.policy.structure
    classes = [
        InputClass(segment.name, _answers(night.earlier.get(segment, ())), _answers(rows))
        for segment, rows in sorted(window.items())
    ]
    found = find_anomalies(
        classes,
        min_reference=policy.min_reference,
        level=policy.level,
        seed=night.policy.seed,
        embed=embed if policy.is_embedded else None,
    )
    of_call = {row.call_key: row for rows in window.values() for row in rows}
    return [
        anomaly_row(_subject(night, of_call[each.call_key]), each, policy.level) for each in found
    ]


def _answers(rows: Sequence[AnswerRow]) -> tuple[Answer, ...]:
    """Return rows as answers of a class."""
    return tuple(Answer(row.call_key, row.prompt, row.answer) for row in rows)


def _subject(night: _Night, row: AnswerRow) -> dict[str, Any]:
    """Return what a row says of its call."""
    return {
        "as_of": night.as_of,
        "call_key": row.call_key,
        "feature": row.segment.feature,
        "environment": row.segment.environment,
        "model": row.segment.model or None,
        "prompt_version": row.segment.prompt_version or None,
        "called_at": row.called_at,
        "is_canary": row.segment.is_canary,
        "sample_weight": row.weight,
    }


def _by_key(scores: Sequence[Score]) -> dict[str, Score]:
    """Return scores by call."""
    return {score.call_key: score for score in scores}


def _summary(n_answers: int, rows: Sequence[Mapping[str, Any]], n_written: int) -> EvaluateSummary:
    """Count what was found."""
    bad = [row["evaluator"] for row in rows if row["is_bad"]]
    return EvaluateSummary(
        n_answers=n_answers,
        n_bad=sum(name != "structure" for name in bad),
        n_anomalies=bad.count("structure"),
        n_written=n_written,
        cost_usd=sum(row["judge_cost_usd"] or 0.0 for row in rows),
    )
