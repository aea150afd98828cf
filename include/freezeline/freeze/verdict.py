"""The verdict on a release of one or more features: it ships when every feature is allowed to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from include.freezeline.freeze.gate import (
    EXIT_ALLOW,
    EXIT_FROZEN,
    EXIT_UNKNOWN_FEATURE,
    EXIT_UNTRUSTED,
    GateAnswer,
    answer_gate,
    find_problem,
    parse_moment,
)

# From harmless to severe: the less is known, the more severe. A code that is not here tops all.
_SEVERITY = (EXIT_ALLOW, EXIT_FROZEN, EXIT_UNKNOWN_FEATURE, EXIT_UNTRUSTED)


@dataclass(frozen=True, slots=True)
class Question:
    """What a release asks.

    Attributes:
        features: Features that it changes; at least one.
        environment: Where it ships to.
        change_class: Kind of change.
        change_ref: The change itself, for overrides that are for one change only.
    """

    features: tuple[str, ...]
    environment: str = "production"
    change_class: str = "feature"
    change_ref: str | None = None

    def __post_init__(self) -> None:
        """Refuse a release of nothing, which every rule would allow."""
        if not self.features:
            message = "a release must name at least one feature"
            raise ValueError(message)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answers to a question.

    Attributes:
        answers: One for each feature, in the order asked.
        document: The genuine document that they rest on; empty when there is none.
        asked_at: Time of the question.
    """

    answers: tuple[GateAnswer, ...]
    document: Mapping[str, Any]
    asked_at: datetime

    @property
    def deciding(self) -> GateAnswer:
        """The most severe answer; the first one of several."""
        return max(self.answers, key=lambda answer: _severity(answer.exit_code))

    @property
    def exit_code(self) -> int:
        """Exit code of the command."""
        return self.deciding.exit_code

    @property
    def is_allowed(self) -> bool:
        """Whether the release may ship."""
        return all(answer.is_allowed for answer in self.answers)

    @property
    def is_fresh(self) -> bool:
        """Whether the answers rest on a genuine document that still holds."""
        is_trusted = not any(answer.problem for answer in self.answers)
        return is_trusted and is_fresh(self.document, self.asked_at)


def ask(
    document: Mapping[str, Any] | None,
    question: Question,
    now: datetime,
    *,
    problem: str = "",
    min_sequence: int = 0,
) -> Verdict:
    """Answer a release's question about each of its features.

    Args:
        document: A document whose signature was verified, or None when there is none.
        question: What is asked.
        now: Time of the question.
        problem: Why the document cannot be used.
        min_sequence: Lowest sequence number to accept.
    """
    why = problem or find_problem(document, now, min_sequence)
    answers = tuple(
        answer_gate(
            document,
            feature,
            question.environment,
            question.change_class,
            now,
            problem=why,
            change_ref=question.change_ref,
        )
        for feature in dict.fromkeys(question.features)
    )
    return Verdict(answers, document or {}, now)


def is_fresh(document: Mapping[str, Any], now: datetime) -> bool:
    """Whether a document without a problem still holds; an empty one does not."""
    return bool(document) and now < parse_moment(document["valid_until"])


def _severity(exit_code: int) -> int:
    """Return the rank of an exit code."""
    return _SEVERITY.index(exit_code) if exit_code in _SEVERITY else len(_SEVERITY)
