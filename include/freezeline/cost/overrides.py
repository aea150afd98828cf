"""Prices a company sets itself: contracts, fine-tunes, self-hosted models."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator

from include.freezeline.config import load_yaml, parse_config


class PriceOverride(BaseModel):
    """One price that replaces the packaged table from a date on.

    Attributes:
        provider: Provider as on the spans.
        model: Model name as on the spans.
        valid_from_date: First UTC date the price holds.
        input_usd_per_mtok: US dollars per million uncached input tokens.
        cache_read_usd_per_mtok: The same for cached input tokens; the input price when unset.
        output_usd_per_mtok: US dollars per million output tokens.
        reason: Where the price comes from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: str = Field(min_length=1)
    model: str = Field(min_length=1)
    valid_from_date: date
    input_usd_per_mtok: Decimal = Field(ge=0)
    cache_read_usd_per_mtok: Decimal | None = Field(default=None, ge=0)
    output_usd_per_mtok: Decimal = Field(ge=0)
    reason: str = Field(min_length=1)

    @property
    def valid_from_at(self) -> datetime:
        """First instant the price holds."""
        return datetime.combine(self.valid_from_date, time.min, tzinfo=UTC)


class PriceOverrides(BaseModel):
    """The file ``config/price_overrides.yml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    overrides: tuple[PriceOverride, ...]

    @model_validator(mode="after")
    def _no_two_for_one_date(self) -> "PriceOverrides":
        """Two prices for one model and date would make the cost depend on their order."""
        seen: set[tuple[str, str, date]] = set()
        for override in self.overrides:
            key = (override.provider, override.model, override.valid_from_date)
            if key in seen:
                message = (
                    f"two prices for {override.provider} {override.model} "
                    f"from {override.valid_from_date} (keep one)"
                )
                raise ValueError(message)
            seen.add(key)
        return self


def load_price_overrides(config_dir: Path) -> tuple[PriceOverride, ...]:
    """Read ``price_overrides.yml``; without the file there are none.

    Raises:
        ConfigError: The file is not what it should be.
    """
    path = config_dir / "price_overrides.yml"
    if not path.exists():
        return ()
    return parse_config(PriceOverrides, path, load_yaml(path)).overrides
