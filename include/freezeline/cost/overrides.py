"""Prices a company sets itself: contracts, fine-tunes, self-hosted models."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from include.freezeline.config import load_yaml, parse_config
from include.freezeline.cost.periods import Band, Period, Rates, complete_rates

Price = Field(default=None, ge=0)


class PriceOverride(BaseModel):
    """One price that replaces the packaged table from a date on.

    Attributes:
        provider: Provider as on the spans.
        model: Model name as on the spans.
        service_tier: Service tier as on the spans, in lower case; every tier that has no
            override of its own when unset.
        valid_from_date: First UTC date the price holds.
        above_input_tokens: Size that the prompt must exceed; 0 is every prompt.
        input_usd_per_mtok: US dollars per million uncached input tokens.
        cache_read_usd_per_mtok: The same for cached input tokens; the input price when unset.
        cache_write_usd_per_mtok: For input tokens written to the cache; the input price when unset.
        cache_write_1h_usd_per_mtok: For those written for an hour; the former when unset.
        output_usd_per_mtok: US dollars per million output tokens.
        reasoning_usd_per_mtok: For those spent on reasoning; the output price when unset.
        web_search_usd: US dollars per web search of the provider.
        reason: Where the price comes from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: str = Field(min_length=1)
    model: str = Field(min_length=1)
    service_tier: str | None = Field(default=None, pattern=r"^[^A-Z]+$")
    valid_from_date: date
    above_input_tokens: int = Field(default=0, ge=0)
    input_usd_per_mtok: Decimal = Field(ge=0)
    cache_read_usd_per_mtok: Decimal | None = Price
    cache_write_usd_per_mtok: Decimal | None = Price
    cache_write_1h_usd_per_mtok: Decimal | None = Price
    output_usd_per_mtok: Decimal = Field(ge=0)
    reasoning_usd_per_mtok: Decimal | None = Price
    web_search_usd: Decimal | None = Price
    reason: str = Field(min_length=1)

    @property
    def valid_from_at(self) -> datetime:
        """First instant the price holds."""
        return datetime.combine(self.valid_from_date, time.min, tzinfo=UTC)

    @property
    def rates(self) -> Rates:
        """What each kind of token costs."""
        return complete_rates(
            input_price=self.input_usd_per_mtok,
            output_price=self.output_usd_per_mtok,
            cache_read=self.cache_read_usd_per_mtok,
            cache_write=self.cache_write_usd_per_mtok,
            cache_write_1h=self.cache_write_1h_usd_per_mtok,
            reasoning=self.reasoning_usd_per_mtok,
            web_search=self.web_search_usd,
        )

    @property
    def _group(self) -> tuple[str, str, str | None, date]:
        """What the overrides have in common that differ in the size of the prompt only."""
        return (self.provider, self.model, self.service_tier, self.valid_from_date)


class PriceOverrides(BaseModel):
    """The file ``config/price_overrides.yml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    overrides: tuple[PriceOverride, ...]

    @model_validator(mode="after")
    def _has_one_price_for_every_prompt(self) -> Self:
        """Two prices for one prompt would depend on their order, and none would be a hole."""
        sizes: dict[tuple[str, str, str | None, date], list[int]] = {}
        for override in self.overrides:
            sizes.setdefault(override._group, []).append(override.above_input_tokens)
        for (provider, model, _, day), starts in sizes.items():
            if len(set(starts)) < len(starts):
                message = f"two prices for {provider} {model} from {day} (keep one)"
                raise ValueError(message)
            if 0 not in starts:
                message = (
                    f"no price for the smaller prompts of {provider} {model} from {day} "
                    f"(add the override without above_input_tokens)"
                )
                raise ValueError(message)
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


def override_periods(
    overrides: Sequence[PriceOverride], provider: str, model: str, service_tier: str
) -> list[Period]:
    """Return the overrides that hold for calls of a model and tier as periods, oldest first."""
    named = [one for one in overrides if (one.provider, one.model) == (provider, model)]
    own = [one for one in named if one.service_tier == service_tier]
    chosen = own or [one for one in named if one.service_tier is None]
    chosen.sort(key=lambda one: (one.valid_from_at, one.above_input_tokens))
    return [_period(list(group)) for _, group in groupby(chosen, key=lambda one: one.valid_from_at)]


def _period(group: Sequence[PriceOverride]) -> Period:
    """Return the overrides of one date, smallest prompts first, as a period."""
    return Period(
        group[0].valid_from_at,
        tuple(
            Band(one.above_input_tokens + 1 if one.above_input_tokens else 0, one.rates)
            for one in group
        ),
        f"override: {group[0].reason}",
    )
