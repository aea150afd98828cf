"""What a drift question is about: segments, windows, the reference, and the days of fingerprints."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from include.freezeline.stats.fingerprint import MIN_DAYS, MIN_TEXTS

Dimension = Literal[
    "feature",
    "environment",
    "model",
    "prompt_version",
    "tenant_tier",
    "tenant_key",
    "route",
    "locale",
    "provider",
    "service_tier",
    "prompt_name",
    "experiment_bucket_name",
    "service_version",
]
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)
_UNITS: Mapping[str, tuple[str, timedelta]] = {
    "m": ("minute", timedelta(minutes=1)),
    "h": ("hour", timedelta(hours=1)),
    "d": ("day", timedelta(days=1)),
}
_SHORTEST, _LONGEST = "30m", "31d"
_DURATION = re.compile(r"([1-9][0-9]*)([mhd])")


def duration_of(text: str) -> timedelta:
    """Return the time that a duration stands for, such as ``30m``, ``6h`` or ``2d``."""
    number, unit = _split(text)
    return number * _UNITS[unit][1]


def duration_words(text: str) -> str:
    """Return a duration in words: ``2d`` is "2 days"."""
    number, unit = _split(text)
    return f"{number} {_UNITS[unit][0]}{'' if number == 1 else 's'}"


def _split(text: str) -> tuple[int, str]:
    """Part a duration into number and unit.

    Raises:
        ValueError: It is none.
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        message = "must be a number of minutes, hours or days such as 30m, 6h or 2d"
        raise ValueError(message)
    return int(found[1]), found[2]


def _is_a_window(text: str) -> str:
    """Refuse a window that is no duration, too short to hold answers or longer than a month."""
    if not duration_of(_SHORTEST) <= duration_of(text) <= duration_of(_LONGEST):
        message = f"must lie between {_SHORTEST} and {_LONGEST}"
        raise ValueError(message)
    return text


# Checked by hand and not by a pattern, so that the error says what a duration looks like.
WindowLength = Annotated[
    str,
    Field(json_schema_extra={"pattern": f"^{_DURATION.pattern}$"}),
    AfterValidator(_is_a_window),
]
_Words = Annotated[str, Field(min_length=1)]


class _Strict(BaseModel):
    """A typing mistake in a policy file is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Segments(_Strict):
    """By which columns of ``marts.fct_llm_calls`` answers are parted before they are compared.

    Attributes:
        dimensions: The columns; ``model`` is the model asked for.
    """

    dimensions: tuple[Dimension, ...]

    @model_validator(mode="after")
    def _names_whom(self) -> "Segments":
        """Refuse segments that a verdict row could not name, and a dimension given twice."""
        missing = [name for name in ("feature", "environment") if name not in self.dimensions]
        if missing:
            message = f"must hold {' and '.join(missing)}, which every verdict names (add it)"
            raise ValueError(message)
        if len(set(self.dimensions)) < len(self.dimensions):
            message = "holds a dimension twice (remove one)"
            raise ValueError(message)
        return self


class Fingerprints(_Strict):
    """Daily fingerprints of style, and the question since when a model writes differently.

    Attributes:
        is_enabled: Whether they are kept and asked.
        days: Days that are looked at for a change, and kept up to date with late calls.
        max_texts: Answers looked at per day, model and feature; the choice depends on call keys only.
        min_effect: Smallest shift of any habit that matters, in standard deviations of answers.
    """

    is_enabled: bool = True
    days: Annotated[int, Field(ge=MIN_DAYS)] = 28
    max_texts: Annotated[int, Field(ge=MIN_TEXTS)] = 200
    min_effect: Annotated[float, Field(gt=0.0, allow_inf_nan=False)] = 0.2


class AcceptedChange(_Strict):
    """A change that somebody looked at and wants to be the new normal.

    Attributes:
        feature: Whose answers changed.
        environment: Where; everywhere when None.
        model: Of which requested model; of all when None.
        from_date: First whole UTC day of the changed state; the reference starts there.
        by: Who accepted it.
        reason: Why.
    """

    feature: _Words
    environment: _Words | None = None
    model: _Words | None = None
    from_date: date
    by: _Words
    reason: _Words

    @property
    def from_at(self) -> datetime:
        """The start of the first day."""
        return datetime.combine(self.from_date, time(), tzinfo=UTC)

    def is_about(self, feature: str, environment: str, model: str | None) -> bool:
        """Whether the change is about a segment."""
        return (
            self.feature == feature
            and self.environment in (None, environment)
            and self.model in (None, model)
        )


class Reference(_Strict):
    """With which days a window is compared, and what alone may move them.

    Attributes:
        days: How many.
        moves: ``never``: the first days of the segment, whatever comes. ``when_prompt_version_is_new``:
            the first days of each prompt version. ``after_accepted_change``: the same, and after an
            accepted change the first days from then on.
        accepted_changes: The accepted changes.
    """

    days: Annotated[int, Field(ge=1)]
    moves: Literal["never", "when_prompt_version_is_new", "after_accepted_change"]
    accepted_changes: tuple[AcceptedChange, ...] = ()

    @model_validator(mode="after")
    def _changes_count(self) -> "Reference":
        """Refuse accepted changes that the rule would not look at."""
        if self.accepted_changes and self.moves != "after_accepted_change":
            message = (
                f"accepted_changes would change nothing while moves is {self.moves} "
                "(write after_accepted_change, or remove them)"
            )
            raise ValueError(message)
        return self

    def accepted_at(
        self, feature: str, environment: str, model: str | None, as_of: datetime
    ) -> datetime | None:
        """Return when the last accepted change of a segment began; None when there is none."""
        found = [
            change.from_at
            for change in self.accepted_changes
            if change.is_about(feature, environment, model) and change.from_at < as_of
        ]
        return max(found, default=None)
