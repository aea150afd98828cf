"""What evaluations ask and what their labels mean (``config/evaluations.yml``)."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from include.freezeline.config import load_yaml, parse_config

# They reach SQL as literals and LIKE patterns.
Word = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9 _-]*$")]
Words = Annotated[tuple[Word, ...], Field(min_length=1)]


class _Strict(BaseModel):
    """No unknown keys, no changes after loading."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Kind(_Strict):
    """Names of evaluations that ask one thing.

    Attributes:
        kind: What they ask; each has columns of its own in the marts.
        words: Words of which such a name holds one, in lower case.
        is_high_bad: Whether "true" or a high score is bad news.
    """

    kind: Literal["refusal", "toxicity", "ungrounded", "format"]
    words: Words
    is_high_bad: bool


class EvaluationPolicy(_Strict):
    """The file ``config/evaluations.yml``.

    Attributes:
        kinds: What names ask; the first word found decides.
        not_words: Parts of names in which words are not looked for.
        bad_labels: Labels that are bad news whatever was asked.
        good_labels: Labels that are good news.
        liked_labels: What people call an answer they liked.
        disliked_labels: What people call one they did not like.
    """

    kinds: Annotated[tuple[Kind, ...], Field(min_length=1)]
    not_words: tuple[Word, ...] = ()
    bad_labels: Words
    good_labels: Words
    liked_labels: Words
    disliked_labels: Words

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        """Refuse a label that means both."""
        for good, bad in (
            (self.good_labels, self.bad_labels),
            (self.liked_labels, self.disliked_labels),
        ):
            both = sorted(set(good) & set(bad))
            if both:
                message = f"labels cannot be good and bad news at once: {both}"
                raise ValueError(message)
        return self

    def variables(self) -> dict[str, object]:
        """Return the policy as a dbt variable."""
        return {"evaluations": self.model_dump(mode="json")}


def load_evaluation_policy(config_dir: Path) -> EvaluationPolicy:
    """Read ``evaluations.yml``.

    Raises:
        ConfigError: The file is missing, or is not what it should be.
    """
    path = config_dir / "evaluations.yml"
    return parse_config(EvaluationPolicy, path, load_yaml(path))
