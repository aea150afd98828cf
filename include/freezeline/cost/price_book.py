"""The price book: what a token of every model in the lake cost, and since when."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from include.freezeline.cost.overrides import PriceOverride
from include.freezeline.cost.price_table import (
    FIRST_INSTANT,
    TokenPrices,
    per_token,
    table_periods,
    table_source,
)

UNKNOWN_MODEL = "unknown_model"


@dataclass(frozen=True, slots=True, order=True)
class ModelRef:
    """A model as the spans name it.

    Attributes:
        provider: Provider, or ``unknown`` when the spans name none.
        model: Model name.
    """

    provider: str
    model: str


def plan_price_book(
    models: Iterable[ModelRef], overrides: Sequence[PriceOverride]
) -> list[dict[str, Any]]:
    """Return the rows of ``PRICE_BOOK`` for the given models, in a fixed order.

    Every model gets at least one row, so a model without a price is visible as such: its prices
    are null, never zero, and ``unpriced_reason`` says why.
    """
    return [row for ref in sorted(set(models)) for row in _rows_of(ref, overrides)]


def _rows_of(ref: ModelRef, overrides: Sequence[PriceOverride]) -> Iterator[dict[str, Any]]:
    """Yield one row per period, each ending where the next begins."""
    periods = _periods_of(ref, overrides)
    ends: list[datetime | None] = [later.valid_from_at for _, later in pairwise(periods)]
    for period, valid_to_at in zip(periods, [*ends, None], strict=True):
        yield _row(ref, period, valid_to_at)


def _periods_of(ref: ModelRef, overrides: Sequence[PriceOverride]) -> list[TokenPrices]:
    """Return the table's periods up to the first override, then the overrides."""
    own = sorted(
        (o for o in overrides if (o.provider, o.model) == (ref.provider, ref.model)),
        key=lambda override: override.valid_from_at,
    )
    table = table_periods(ref.provider, ref.model) or [_unknown()]
    if own:
        table = [period for period in table if period.valid_from_at < own[0].valid_from_at]
    return [*table, *map(_of_override, own)]


def _of_override(override: PriceOverride) -> TokenPrices:
    """Return an override as a period."""
    return TokenPrices(
        override.valid_from_at,
        per_token(override.input_usd_per_mtok),
        per_token(override.cache_read_usd_per_mtok),
        per_token(override.output_usd_per_mtok),
        source=f"override: {override.reason}",
    )


def _unknown() -> TokenPrices:
    """Return the period of a model that the table does not know."""
    return TokenPrices(FIRST_INSTANT, None, None, None, source=table_source())


def _row(ref: ModelRef, prices: TokenPrices, valid_to_at: datetime | None) -> dict[str, Any]:
    """Return a period as a row; a price that misses a part counts as unknown."""
    is_known = prices.input_usd_per_token is not None and prices.output_usd_per_token is not None
    return {
        "provider": ref.provider,
        "model": ref.model,
        "valid_from_at": prices.valid_from_at,
        "valid_to_at": valid_to_at,
        "input_usd_per_token": prices.input_usd_per_token if is_known else None,
        "cache_read_usd_per_token": prices.cache_read_usd_per_token if is_known else None,
        "output_usd_per_token": prices.output_usd_per_token if is_known else None,
        "price_source": prices.source,
        "unpriced_reason": None if is_known else UNKNOWN_MODEL,
    }
