"""The retention policy: tiers by kind of data and environment (``config/retention.yml``)."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from include.freezeline.config import load_yaml, parse_config

DataKind = Literal["spans", "evaluations", "facts", "quarantine", "judgement"]
Days = Annotated[int, Field(ge=1, le=36_500)]
ANY_ENVIRONMENT = "*"
NO_CLASS = "*"
End = Literal["archive", "delete"]


class _Strict(BaseModel):
    """No unknown keys, no changes after loading."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Tier(_Strict):
    """How long something stays.

    Attributes:
        default_days: Days after the event, for environments and classes that are not named.
        days_by_environment: Other limits for single environments.
        days_by_class: Other limits for single classes of data; they win over the environment's,
            because a class says what the law asks for.
    """

    default_days: Days
    days_by_environment: Mapping[str, Days] = Field(default_factory=dict)
    days_by_class: Mapping[str, Days] = Field(default_factory=dict)

    def days(self, environment: str, data_class: str = NO_CLASS) -> int:
        """Return the limit of an environment and class of data."""
        of_environment = self.days_by_environment.get(environment, self.default_days)
        return self.days_by_class.get(data_class, of_environment)

    @property
    def least_days(self) -> int:
        """The shortest limit of any environment or class."""
        return min(self._all_days)

    @property
    def most_days(self) -> int:
        """The longest limit of any environment or class."""
        return max(self._all_days)

    @property
    def _all_days(self) -> list[int]:
        """Every limit."""
        return [
            self.default_days,
            *self.days_by_environment.values(),
            *self.days_by_class.values(),
        ]


class WarmTier(Tier):
    """A tier whose rows leave the lake.

    Attributes:
        then: Whether they are archived in the cold tier first.
        then_by_class: The same for single classes of data.
    """

    then: End
    then_by_class: Mapping[str, End] = Field(default_factory=dict)

    def end(self, data_class: str) -> End:
        """Return what becomes of rows of a class."""
        return self.then_by_class.get(data_class, self.then)

    @property
    def has_archive(self) -> bool:
        """Whether anything of it is archived."""
        return "archive" in (self.then, *self.then_by_class.values())


class Snapshots(_Strict):
    """Which published snapshots stay; the newest one always does.

    Attributes:
        max_count: How many.
        max_days: How old, by their ``as_of``.
    """

    max_count: Annotated[int, Field(ge=1)]
    max_days: Days


class LegalHold(_Strict):
    """Data that must not be touched.

    Attributes:
        name: Reference of the case.
        environment: The environment held; ``*`` is all of them.
        from_date: First event date held.
        to_date: Last event date held.
        reason: Why, for the record.
    """

    name: Annotated[str, Field(min_length=1)]
    environment: str = ANY_ENVIRONMENT
    from_date: date
    to_date: date
    reason: Annotated[str, Field(min_length=1)]

    @model_validator(mode="after")
    def _runs_forward(self) -> Self:
        """A hold that ends before it starts would silently hold nothing."""
        if self.to_date < self.from_date:
            message = f"to_date {self.to_date} is before from_date {self.from_date} (swap them)"
            raise ValueError(message)
        return self

    def covers(self, event_date: date, environment: str) -> bool:
        """Whether the hold covers data; data of an unknown environment is covered by every hold."""
        is_in_time = self.from_date <= event_date <= self.to_date
        names = {self.environment, environment}
        return is_in_time and (len(names) == 1 or ANY_ENVIRONMENT in names)


class RetentionPolicy(_Strict):
    """The document ``config/retention.yml``.

    Attributes:
        hot: Redacted texts.
        warm: Rows without texts, by kind of data.
        cold: Archived rows.
        snapshots: Published copies of the warehouse.
        legal_holds: What must not be touched.
    """

    hot: Tier
    warm: Mapping[DataKind, WarmTier]
    cold: Tier
    snapshots: Snapshots
    legal_holds: tuple[LegalHold, ...] = ()

    @model_validator(mode="after")
    def _tiers_follow_each_other(self) -> Self:
        """A tier must not end after the next one begins to need it."""
        if self.snapshots.max_days > self.hot.default_days:
            message = (
                f"snapshots.max_days must be at most hot.default_days ({self.hot.default_days}), "
                f"got {self.snapshots.max_days}: snapshots hold texts (lower it)"
            )
            raise ValueError(message)
        for kind, tier in self.warm.items():
            if tier.has_archive and tier.default_days >= self.cold.default_days:
                message = (
                    f"warm.{kind}.default_days must be below cold.default_days "
                    f"({self.cold.default_days}), got {tier.default_days}"
                )
                raise ValueError(message)
        return self

    def is_held(self, event_date: date, environment: str) -> bool:
        """Whether any legal hold covers data."""
        return any(hold.covers(event_date, environment) for hold in self.legal_holds)


def load_retention_policy(config_dir: Path) -> RetentionPolicy:
    """Read the policy.

    Raises:
        ConfigError: The file is missing or something in it is wrong.
    """
    path = config_dir / "retention.yml"
    return parse_config(RetentionPolicy, path, load_yaml(path))
