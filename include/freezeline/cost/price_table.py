"""The packaged price table: dated prices per token, from the library genai-prices.

The library ships its table, so nothing is fetched, and its version is part of every price's
source. What it knows about one model is turned into periods of one flat price each:

- a dated price change becomes a new period;
- a price that rises with the size of the prompt keeps its base tier, and one that varies with
  the hour of the day its base rate; ``price_source`` then ends in ``, base rate``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from importlib.metadata import version
from typing import Any

UNKNOWN_PROVIDER = "unknown"
FIRST_INSTANT = datetime(1970, 1, 1, tzinfo=UTC)
_TOKENS_PER_PRICE = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class TokenPrices:
    """Prices that hold from an instant on.

    Attributes:
        valid_from_at: First instant.
        input_usd_per_token: Price of an uncached input token; None when unknown.
        cache_read_usd_per_token: Price of a cached one; None when it costs the same.
        output_usd_per_token: Price of an output token; None when unknown.
        source: Price table and version, or override.
    """

    valid_from_at: datetime
    input_usd_per_token: Decimal | None
    cache_read_usd_per_token: Decimal | None
    output_usd_per_token: Decimal | None
    source: str


def per_token(usd_per_mtok: Decimal | None) -> Decimal | None:
    """Turn a price per million tokens into one per token, exactly.

    Examples:
        >>> per_token(Decimal("2.50"))
        Decimal('0.0000025')
    """
    return None if usd_per_mtok is None else (usd_per_mtok / _TOKENS_PER_PRICE).normalize()


def table_source() -> str:
    """Return the name and version of the packaged table."""
    return f"genai-prices {version('genai-prices')}"


def table_periods(provider: str, model: str) -> list[TokenPrices]:
    """Return the table's periods for a model, oldest first; empty when it does not know it.

    A provider the table does not know stays unknown: the same model elsewhere may cost something
    else. Only spans that name no provider at all are looked up by the model's name alone.
    """
    found = _find_model(provider, model)
    if found is None:
        return []
    prices = found.prices
    conditional = prices if isinstance(prices, list) else None
    if conditional is None:
        return [_flat(FIRST_INSTANT, prices, is_base=False)]
    return [
        _flat(start, active, is_base=_varies_by_hour(conditional))
        for start, active in _dated(conditional)
    ]


def _find_model(provider: str, model: str) -> Any | None:
    """Look a model up in the packaged table."""
    from genai_prices.data_snapshot import get_snapshot

    named = None if provider == UNKNOWN_PROVIDER else provider
    try:
        return get_snapshot().find_provider_model(model, None, named, None)[1]
    except LookupError:
        return None


def _dated(conditional: Sequence[Any]) -> Iterator[tuple[datetime, Any]]:
    """Yield each start with the price that holds from it; the last one listed wins."""
    starts = sorted({_start_of(price) for price in conditional if not _is_hourly(price)})
    for start in starts:
        active = [p for p in conditional if not _is_hourly(p) and _start_of(p) <= start]
        yield start, active[-1].prices


def _start_of(conditional: Any) -> datetime:
    """Return since when a conditional price may hold."""
    start: date | None = getattr(conditional.constraint, "start_date", None)
    return FIRST_INSTANT if start is None else datetime.combine(start, time.min, tzinfo=UTC)


def _is_hourly(conditional: Any) -> bool:
    """Whether a price holds in some hours of the day only."""
    return hasattr(conditional.constraint, "start_time")


def _varies_by_hour(conditional: Sequence[Any]) -> bool:
    """Whether any of a model's prices holds in some hours only."""
    return any(_is_hourly(price) for price in conditional)


def _flat(start: datetime, prices: Any, *, is_base: bool) -> TokenPrices:
    """Reduce a model price to flat prices per token."""
    amounts = (prices.input_mtok, prices.cache_read_mtok, prices.output_mtok)
    is_base = is_base or any(hasattr(amount, "tiers") for amount in amounts)
    input_price, cache_read_price, output_price = (
        per_token(getattr(amount, "base", amount)) for amount in amounts
    )
    return TokenPrices(
        valid_from_at=start,
        input_usd_per_token=input_price,
        cache_read_usd_per_token=cache_read_price,
        output_usd_per_token=output_price,
        source=table_source() + (", base rate" if is_base else ""),
    )
