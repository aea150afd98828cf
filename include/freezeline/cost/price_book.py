"""The price book: what a token of every model in the lake cost, and since when."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Any

from include.freezeline.cost.overrides import PriceOverride, override_periods
from include.freezeline.cost.periods import (
    DEFAULT_TIER,
    FIRST_INSTANT,
    Band,
    Period,
    complete_rates,
)
from include.freezeline.cost.price_table import find_table_model, table_periods, table_source

UNKNOWN_MODEL = "unknown_model"
NO_UNIT_PRICE = "priced_by_other_units"
_UNPRICED = (Band(0, complete_rates(input_price=None, output_price=None)),)


@dataclass(frozen=True, slots=True, order=True)
class ModelRef:
    """A model, and how it was served, as the spans name them.

    Attributes:
        provider: Provider, or ``unknown`` when the spans name none.
        model: Model name.
        service_tier: Service tier in lower case; ``default`` when the spans name none.
    """

    provider: str
    model: str
    service_tier: str = DEFAULT_TIER


def plan_price_book(
    models: Iterable[ModelRef], overrides: Sequence[PriceOverride]
) -> list[dict[str, Any]]:
    """Return the rows of ``PRICE_BOOK`` for the given models, in a fixed order.

    Every model gets at least one row, so a model without a price is visible as such: its prices
    are null, never zero, and ``unpriced_reason`` says why. Every model has rows of the default
    tier, whatever tiers it was called with.
    """
    refs = {ref for model in models for ref in (model, replace(model, service_tier=DEFAULT_TIER))}
    return [row for ref in sorted(refs) for row in _rows_of(ref, overrides)]


def _rows_of(ref: ModelRef, overrides: Sequence[PriceOverride]) -> Iterator[dict[str, Any]]:
    """Yield one row per period and band; a period ends where a later one begins."""
    periods = _periods_of(ref, overrides)
    for period in periods:
        later = [
            other.valid_from_at
            for other in periods
            if other.valid_from_at > period.valid_from_at and other.shares_hours_with(period)
        ]
        sizes = [band.input_from_tokens for band in period.bands]
        ends = [next_size for _, next_size in pairwise(sizes)]
        for band, size in zip(period.bands, [*ends, None], strict=True):
            yield _row(ref, period, min(later, default=None), band, size)


def _periods_of(ref: ModelRef, overrides: Sequence[PriceOverride]) -> list[Period]:
    """Return the table's periods up to the first override, then the overrides."""
    own = override_periods(overrides, ref.provider, ref.model, ref.service_tier)
    unknown = Period(FIRST_INSTANT, _UNPRICED, table_source())
    table = table_periods(ref.provider, ref.model, ref.service_tier) or [unknown]
    if own:
        table = [period for period in table if period.valid_from_at < own[0].valid_from_at]
    return [*table, *own]


def _row(
    ref: ModelRef, period: Period, valid_to_at: datetime | None, band: Band, below: int | None
) -> dict[str, Any]:
    """Return a band of a period as a row."""
    is_priced = band.rates.input_usd_per_token is not None
    is_known = find_table_model(ref.provider, ref.model) is not None
    unpriced = NO_UNIT_PRICE if is_known else UNKNOWN_MODEL
    return {
        **asdict(ref),
        "valid_from_at": period.valid_from_at,
        "valid_to_at": valid_to_at,
        "day_from_s": period.day_from_s,
        "day_to_s": period.day_to_s,
        "input_from_tokens": band.input_from_tokens,
        "input_to_tokens": below,
        **asdict(band.rates),
        "price_source": period.source,
        "unpriced_reason": None if is_priced else unpriced,
    }
