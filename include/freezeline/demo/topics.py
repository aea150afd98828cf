"""What people ask the three features, and the plain contents of an answer.

A prompt is an issue asked about a subject. The contents are clauses without any style;
``style`` turns them into the prose of one model.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Issue:
    """One kind of question.

    Attributes:
        topic: Noun phrase for "about ...", may use ``{subject}``.
        questions: Ways to ask it.
        clauses: Steps (imperative) or findings (statements); ``{a}`` and ``{b}`` are numbers that
            belong to the prompt.
    """

    topic: str
    questions: tuple[str, ...]
    clauses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prompt:
    """An issue about a subject, with its numbers."""

    number: int
    issue: Issue
    subject: str
    a: int
    b: int

    def fill(self, text: str) -> str:
        """Put subject and numbers into a text."""
        return text.format(subject=self.subject, a=self.a, b=self.b)


def cross(issues: tuple[Issue, ...], subjects: tuple[str, ...]) -> tuple[Prompt, ...]:
    """Ask every issue about every subject, each with numbers of its own."""
    pairs = [(issue, subject) for issue in issues for subject in subjects]
    return tuple(
        Prompt(number, issue, subject, a=2 + number * 7 % 11, b=12 + number * 13 % 37)
        for number, (issue, subject) in enumerate(pairs)
    )
