"""What a night's evaluation works with, and what evaluators look at beside each answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from include.freezeline.adapters.lake import Lake
from include.freezeline.adapters.warehouse import Warehouse
from include.freezeline.evaluators.interface import Evaluator, Item, Score
from include.freezeline.evaluators.policy import EvaluatorPolicy
from include.freezeline.evaluators.registry import Models
from include.freezeline.jobs.evaluate_reads import AnswerRow, Segment, load_chunks, load_replicas

Scores = Mapping[str, Score]
"""Scores by call key."""


@dataclass(frozen=True, slots=True)
class Night:
    """What a night's evaluation works with.

    Attributes:
        warehouse: Open for writing.
        lake: Where retrieved texts are.
        policy: Which answers are evaluated, and how.
        as_of: Exclusive end of what is known.
        evaluators: Who scores.
        models: What they may use of the outside world.
        earlier: Earlier answers by segment.
    """

    warehouse: Warehouse
    lake: Lake
    policy: EvaluatorPolicy
    as_of: datetime
    evaluators: Sequence[Evaluator]
    models: Models
    earlier: Mapping[Segment, Sequence[AnswerRow]]


def items_of(night: Night, answers: Sequence[AnswerRow]) -> list[Item]:
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


def subject_of(night: Night, row: AnswerRow) -> dict[str, Any]:
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


def by_key(scores: Sequence[Score]) -> dict[str, Score]:
    """Return scores by call."""
    return {score.call_key: score for score in scores}
