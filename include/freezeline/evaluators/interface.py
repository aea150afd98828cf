"""One interface for every evaluator: what it needs of an answer, and a score with its reason."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Need = Literal["answer", "prompt", "chunks", "schema", "replicas", "peers"]
_MISSING: Mapping[Need, str] = {
    "answer": "no answer was kept",
    "prompt": "no prompt was kept",
    "chunks": "no retrieved text is known",
    "schema": "no JSON Schema is set for the feature",
    "replicas": "no other answer to the same prompt",
    "peers": "too few earlier answers of its kind",
}

EMPTY = "the answer is empty"
"""Why an empty answer has no score of what words are looked for in."""


@dataclass(frozen=True, slots=True)
class Item:
    """One answer and what evaluators may look at beside it; all texts are redacted.

    Attributes:
        call_key: Key of the call.
        answer: The answer; None when it was not kept.
        prompt: What was asked; None when it was not kept.
        chunks: Retrieved texts that the model had before it.
        schema: JSON Schema that the answer has to meet; None where none is set.
        replicas: Other answers to the same prompt, of the same model and prompt version.
        peers: Earlier answers of the same feature, model and prompt version.
    """

    call_key: str
    answer: str | None
    prompt: str | None = None
    chunks: tuple[str, ...] = ()
    schema: Mapping[str, Any] | None = field(default=None, hash=False)
    replicas: tuple[str, ...] = ()
    peers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """What an evaluator says of one answer.

    Attributes:
        call_key: Key of the call.
        value: Score from 0 to 1; None when the answer cannot be scored, which is never good news.
        reason: Why, in words and numbers; it never quotes a text.
        applies: Whether the question makes sense for such an answer at all; a format does not
            where none is promised.
    """

    call_key: str
    value: float | None
    reason: str
    applies: bool = True


class Evaluator(Protocol):
    """Scores answers in batch.

    Attributes:
        name: Name in policy and rows.
        version: Changes whenever a score could for another reason than another model.
        has_model: Whether a model that a setting names scores.
        needs: What an answer must have to be scored.
        is_high_bad: Whether a high score is bad news.
    """

    @property
    def name(self) -> str:
        """Name in policy and rows."""

    @property
    def version(self) -> str:
        """Changes whenever a score could for another reason than another model."""

    @property
    def has_model(self) -> bool:
        """Whether a model that a setting names scores."""

    @property
    def needs(self) -> frozenset[Need]:
        """What an answer must have to be scored."""

    @property
    def is_high_bad(self) -> bool:
        """Whether a high score is bad news."""

    def score(self, batch: Sequence[Item]) -> list[Score]:
        """Return a score per answer, in the order of the batch."""


PairModel = Callable[[Sequence[tuple[str, str]]], Sequence[float]]
"""Scores pairs of texts from 0 to 1, for example how far the first entails the second."""
TextModel = Callable[[Sequence[str]], Sequence[float]]
"""Scores texts from 0 to 1, for example how toxic they are."""


def evaluate(evaluator: Evaluator, items: Sequence[Item]) -> list[Score]:
    """Score what can be scored; the others have no value and say what they lack.

    What a model makes no number of has no value either: one answer must not cost a night.

    Raises:
        ValueError: The evaluator broke the interface: a score for another answer, or outside
            0 to 1.
    """
    able = [item for item in items if lacks(evaluator, item) is None]
    found = [_finite(score) for score in evaluator.score(able)] if able else []
    _check(evaluator, able, found)
    by_key = {score.call_key: score for score in found}
    return [by_key.get(item.call_key) or _without(evaluator, item) for item in items]


def lacks(evaluator: Evaluator, item: Item) -> str | None:
    """Return what an answer lacks for an evaluator; None when nothing."""
    for need in sorted(evaluator.needs):
        value = getattr(item, need)
        # An answer may be empty: that is what the user got, and it can be judged.
        if value is None or (need != "answer" and isinstance(value, str | tuple) and not value):
            return _MISSING[need]
    return None


def _without(evaluator: Evaluator, item: Item) -> Score:
    """Return what is said of an answer that cannot be scored."""
    applies = not ("schema" in evaluator.needs and item.schema is None)
    return Score(item.call_key, None, lacks(evaluator, item) or "", applies)


def _finite(score: Score) -> Score:
    """Return a score without a value that is no number."""
    if score.value is None or math.isfinite(score.value):
        return score
    return Score(score.call_key, None, "the model's score is not a number")


def _check(evaluator: Evaluator, items: Sequence[Item], scores: Sequence[Score]) -> None:
    """Refuse scores that are not the batch's."""
    if [score.call_key for score in scores] != [item.call_key for item in items]:
        message = f"{evaluator.name}: returned scores of other answers than it was given"
        raise ValueError(message)
    for score in scores:
        if score.value is not None and not 0.0 <= score.value <= 1.0:
            message = f"{evaluator.name}: score {score.value!r} (scores lie between 0 and 1)"
            raise ValueError(message)
