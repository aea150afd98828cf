"""Evaluate a sample of the night's answers, and find those unlike their class."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from include.freezeline.adapters.embedding_torch import PACKAGED
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
from include.freezeline.evaluators.interface import Evaluator, evaluate
from include.freezeline.evaluators.judge import Judge
from include.freezeline.evaluators.policy import EvaluatorPolicy, load_evaluator_policy
from include.freezeline.evaluators.registry import (
    Models,
    build_evaluators,
    threshold_of,
    version_of,
    weights_of,
)
from include.freezeline.evaluators.relevance import Embedder
from include.freezeline.evaluators.rows import Scorer, anomaly_row, score_row
from include.freezeline.jobs.evaluate_night import Night, Scores, by_key, items_of, subject_of
from include.freezeline.jobs.evaluate_reads import (
    AnswerRow,
    Segment,
    load_sample,
    load_window,
)
from include.freezeline.jobs.evaluate_trust import ask_known, trust_rows
from include.freezeline.settings import Settings


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
    night = Night(warehouse, lake, policy, as_of, evaluators, models, earlier)
    sample = load_sample(warehouse, policy.sampling, as_of)
    tell(f"evaluating {len(sample)} answers with {len(evaluators)} evaluators")
    rows, trust = _score(night, sample)
    if policy.structure.is_enabled:
        rows += _anomalies(night, window, embed)
    n_written = warehouse.append_revisions(CALL_SCORES, rows)
    n_written += warehouse.append_revisions(EVALUATOR_AGREEMENTS, trust)
    return _summary(len(sample), rows, n_written, models)


def _models(settings: Settings, policy: EvaluatorPolicy, embed: Embedder) -> Models:
    """Open what settings name."""
    return Models(
        embed=embed,
        entails=open_entailment(settings),
        relates=open_relevance(settings),
        rates_toxicity=open_toxicity(settings),
        ask=open_judge(settings, policy.judge),
        judge_model=settings.judge_model or "",
        names=_model_names(settings),
    )


def _model_names(settings: Settings) -> dict[str, str]:
    """Return the names of models by evaluator: the last part of a path, which rows may hold."""
    embedding = settings.embedding_model or PACKAGED
    used = {
        "groundedness": settings.entailment_model,
        "relevance": settings.relevance_model or embedding,
        "toxicity": settings.toxicity_model,
        "self_consistency": embedding,
    }
    return {name: Path(model).name for name, model in used.items() if model}


def _score(
    night: Night, sample: Sequence[AnswerRow]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Score a sample with every evaluator; return rows of scores and of agreement."""
    items = items_of(night, sample)
    scores: dict[str, Scores] = {}
    trust: list[dict[str, Any]] = []
    scorers = [_scorer(night, each) for each in night.evaluators]
    for evaluator, scorer in zip(night.evaluators, scorers, strict=True):
        # First, so that a night's limit of calls leaves a judge measured.
        known = ask_known(night, evaluator, items)
        fresh = [item for item in items if item.call_key not in known.scores]
        scores[scorer.name] = {**known.scores, **by_key(evaluate(evaluator, fresh))}
        trust += trust_rows(night, evaluator, scorer, known, sample, scores[scorer.name])
    costs = next((e.costs_usd for e in night.evaluators if isinstance(e, Judge)), {})
    rows = [
        score_row(
            subject_of(night, row),
            scorer,
            scores[scorer.name][row.call_key],
            costs.get(row.call_key) if scorer.name == Judge.name else None,
        )
        for scorer in scorers
        for row in sample
    ]
    rows += _composite_rows(night, sample, scores)
    return rows, trust


def _scorer(night: Night, evaluator: Evaluator) -> Scorer:
    """Return who scores, as rows name it."""
    return Scorer(
        evaluator.name,
        version_of(night.models, evaluator),
        threshold_of(night.policy, evaluator),
        evaluator.is_high_bad,
    )


def _composite_rows(
    night: Night, sample: Sequence[AnswerRow], scores: Mapping[str, Scores]
) -> list[dict[str, Any]]:
    """Return the rows of the composite score."""
    setting, weights = night.policy.evaluators.composite, weights_of(night.policy)
    if not setting.is_enabled:
        return []
    parts = [Part(e, weights[e.name], scores[e.name]) for e in night.evaluators]
    scorer = Scorer(COMPOSITE, COMPOSITE_VERSION, setting.threshold, is_high_bad=False)
    found = composite_scores([row.call_key for row in sample], parts)
    return [
        score_row(subject_of(night, row), scorer, score, None)
        for row, score in zip(sample, found, strict=True)
    ]


def _anomalies(
    night: Night, window: Mapping[Segment, Sequence[AnswerRow]], embed: Embedder
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
        anomaly_row(subject_of(night, of_call[each.call_key]), each, policy.level) for each in found
    ]


def _answers(rows: Sequence[AnswerRow]) -> tuple[Answer, ...]:
    """Return rows as answers of a class."""
    return tuple(Answer(row.call_key, row.prompt, row.answer) for row in rows)


def _summary(
    n_answers: int, rows: Sequence[Mapping[str, Any]], n_written: int, models: Models
) -> EvaluateSummary:
    """Count what was found; labelled answers and pairs have their price too."""
    bad = [row["evaluator"] for row in rows if row["is_bad"]]
    return EvaluateSummary(
        n_answers=n_answers,
        n_bad=sum(name != "structure" for name in bad),
        n_anomalies=bad.count("structure"),
        n_written=n_written,
        cost_usd=float(getattr(models.ask, "total_cost_usd", 0.0)),
    )
