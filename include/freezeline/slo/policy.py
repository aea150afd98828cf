"""When freezes warn, end and expire: the document ``config/freeze.yml``."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from include.freezeline.config import load_yaml, parse_config
from include.freezeline.slo.annotations import Strict
from include.freezeline.slo.windows import parse_duration

DEFAULT_POLICY = "default"
_Share = Annotated[Decimal, Field(gt=0, lt=1)]


@dataclass(frozen=True, slots=True)
class FreezePolicy:
    """When to warn, freeze and thaw; shares of the budget.

    Attributes:
        freeze_at: Surely spent share that freezes.
        warn_at: Surely spent share that warns.
        warn_clear: A warning ends below this possibly spent share.
        recover_at: An evaluation is clean at or below this possibly spent share.
        min_freeze: Shortest time between freezing and recovering.
        clean_evaluations: Clean evaluations in a row that end the recovery.
    """

    freeze_at: Fraction = Fraction(1)
    warn_at: Fraction = Fraction(75, 100)
    warn_clear: Fraction = Fraction(65, 100)
    recover_at: Fraction = Fraction(90, 100)
    min_freeze: timedelta = timedelta(hours=24)
    clean_evaluations: int = 3

    def with_lag(self, maturity_lag: timedelta | None) -> Self:
        """Return the policy of an SLO: a freeze lasts until outcomes of its first day are final."""
        return replace(self, min_freeze=max(self.min_freeze, maturity_lag or self.min_freeze))


class PolicyRules(Strict):
    """One named policy; shares of the budget as decimal texts.

    Attributes:
        warn_at: Surely spent share that warns.
        warn_clear: A warning ends below this possibly spent share.
        recover_at: An evaluation is clean at or below this possibly spent share.
        min_freeze: Shortest time between freezing and recovering.
        clean_evaluations: Clean evaluations in a row that end the recovery.
    """

    warn_at: _Share
    warn_clear: _Share
    recover_at: _Share
    min_freeze: str
    clean_evaluations: Annotated[int, Field(ge=1, le=30)]

    @field_validator("min_freeze")
    @classmethod
    def _check_duration(cls, text: str) -> str:
        parse_duration(text)
        return text

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        """A warning that ends where it begins would come and go every night."""
        if self.warn_clear >= self.warn_at:
            message = f"warn_clear must be below warn_at {self.warn_at}, got {self.warn_clear}"
            raise ValueError(message)
        return self

    def compiled(self) -> FreezePolicy:
        """Return the numbers of the state machine."""
        return FreezePolicy(
            warn_at=Fraction(self.warn_at),
            warn_clear=Fraction(self.warn_clear),
            recover_at=Fraction(self.recover_at),
            min_freeze=parse_duration(self.min_freeze),
            clean_evaluations=self.clean_evaluations,
        )


class FreezeRules(Strict):
    """The whole document.

    Attributes:
        validity: How long a night's document and flags hold; then gates block.
        policies: Policies by name; ``default`` is that of SLOs that name none.
    """

    validity: str
    policies: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")], PolicyRules]

    @field_validator("validity")
    @classmethod
    def _check_validity(cls, text: str) -> str:
        if parse_duration(text) > timedelta(days=7):
            message = "must be at most 7d (a week-old answer is none)"
            raise ValueError(message)
        return text

    @model_validator(mode="after")
    def _has_default(self) -> Self:
        if DEFAULT_POLICY not in self.policies:
            message = f"policies: required: {DEFAULT_POLICY!r} (add it)"
            raise ValueError(message)
        return self

    def compiled(self) -> Mapping[str, FreezePolicy]:
        """Return every policy by name."""
        return {name: rules.compiled() for name, rules in self.policies.items()}


def load_freeze_rules(config_dir: Path) -> FreezeRules:
    """Read the document.

    Raises:
        ConfigError: The file is missing or something in it is wrong.
    """
    path = config_dir / "freeze.yml"
    return parse_config(FreezeRules, path, load_yaml(path))
