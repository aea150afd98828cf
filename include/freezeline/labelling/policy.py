"""The labelling policy (``config/labelling.yml``): who may be in a sample, and how it is drawn."""

from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from include.freezeline.config import load_yaml, parse_config
from include.freezeline.errors import ConfigError
from include.freezeline.retention.policy import NO_CLASS, RetentionPolicy

Stratum = Literal[
    "feature", "environment", "route", "locale", "provider", "request_model", "response_model",
    "prompt_name", "prompt_version", "experiment_name", "experiment_bucket_name", "tenant_tier",
    "service_tier", "finish_reason", "data_class", "is_error", "call_date",
]  # fmt: skip
"""Columns of ``fct_llm_calls`` that may cut strata; none of them names a person or a customer."""
RateColumn = Literal["is_escalated", "is_overridden", "is_converted", "is_error"]
_Name = Annotated[str, Field(min_length=1, max_length=300)]
_ALIASES = {"model": "request_model", "prompt": "prompt_version"}


class _Strict(BaseModel):
    """No unknown keys, no changes after loading."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Allocation(_Strict):
    """How many calls of each stratum.

    Attributes:
        rule: proportional to the calls, or Neyman's, to calls times the spread of a known rate.
        min_per_stratum: Fewest of each, as far as a stratum has them.
        rate_column: Column that Neyman's rule takes the rate from.
    """

    rule: Literal["proportional", "neyman"]
    min_per_stratum: Annotated[int, Field(ge=0, le=10_000)]
    rate_column: RateColumn | None = None

    @model_validator(mode="after")
    def _has_what_its_rule_needs(self) -> Self:
        """Neyman's rule has a rate, the other has none."""
        if (self.rule == "neyman") != (self.rate_column is not None):
            message = f"rule {self.rule!r} and rate_column {self.rate_column!r} do not go together"
            raise ValueError(message)
        return self


class LabellingPolicy(_Strict):
    """The document ``config/labelling.yml``.

    Attributes:
        window_days: Days before ``as_of`` whose calls may be drawn.
        keep_days: Days after ``as_of`` that a sample is kept.
        consents: Consents of calls that may be drawn.
        data_classes: Classes of calls that may be drawn.
        unclassified: Whether calls of no class may be.
        environments: Environments of calls that may be; all when empty.
        size: Calls in a sample.
        strata: Columns whose values cut the calls into strata.
        max_strata: Most strata that a sample may have.
        allocation: How many calls of each stratum.
    """

    window_days: Annotated[int, Field(ge=1, le=366)]
    keep_days: Annotated[int, Field(ge=1, le=366)]
    consents: Annotated[tuple[Literal["granted", "unknown"], ...], Field(min_length=1)]
    data_classes: tuple[_Name, ...] = ()
    unclassified: bool
    environments: tuple[_Name, ...] = ()
    size: Annotated[int, Field(ge=1, le=1_000_000)]
    strata: tuple[Stratum, ...] = ()
    max_strata: Annotated[int, Field(ge=1, le=10_000)] = 200
    allocation: Allocation


def load_labelling_policy(config_dir: Path) -> LabellingPolicy:
    """Read the policy.

    Raises:
        ConfigError: The file is missing or something in it is wrong.
    """
    path = config_dir / "labelling.yml"
    return parse_config(LabellingPolicy, path, load_yaml(path))


def parse_strata(text: str) -> tuple[Stratum, ...]:
    """Read the columns of strata as people write them, with commas; ``model`` is request_model.

    Raises:
        ConfigError: One is no column that may cut strata, or stands there twice.
    """
    names = [_ALIASES.get(name.strip(), name.strip()) for name in text.split(",") if name.strip()]
    known = {name: name for name in get_args(Stratum)}
    wrong = [name for name in names if name not in known]
    if wrong or len(set(names)) != len(names):
        what = f"{wrong[0]!r} cannot cut strata" if wrong else "a column stands there twice"
        message = f"--strata: {what} (use {', '.join(known)})"
        raise ConfigError(message)
    return tuple(known[name] for name in names)


def require_shorter_than_hot(policy: LabellingPolicy, retention: RetentionPolicy) -> None:
    """Refuse a policy by which an exported copy could outlive the text.

    Raises:
        ConfigError: It could.
    """
    classes = [*policy.data_classes, NO_CLASS]
    hot = retention.hot
    limits = [hot.days(name, of) for name in policy.environments for of in classes]
    limit = min(limits, default=hot.least_days)
    days = policy.window_days + policy.keep_days
    if days > limit:
        message = (
            f"labelling.yml: window_days + keep_days is {days}, and the hot tier of retention.yml "
            f"ends after {limit} for some of what may be exported (lower one of them, or leave "
            "that class or environment out)"
        )
        raise ConfigError(message)
