"""The packaged price table: dated prices, from the library genai-prices.

The library ships its table, so nothing is fetched, and its version is part of every price's
source. What it knows about one model and service tier is turned into periods: a dated change
begins a new one, hours with a price of their own are periods of a part of the day, and a price
that rises with the size of the prompt has several bands.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from importlib.metadata import version
from itertools import groupby, pairwise
from typing import Any

from include.freezeline.cost.periods import (
    DAY_S,
    FIRST_INSTANT,
    Band,
    Period,
    Rates,
    complete_rates,
)

UNKNOWN_PROVIDER = "unknown"
_SEARCHES_PER_PRICE = Decimal(1_000)
# What the table calls the providers that it would not find by their names in our conventions, or
# would find under another provider's name.
_PROVIDERS = {
    "azure.ai.openai": "azure",
    "azure.ai.inference": "azure",
    "fireworks_ai": "fireworks",
    "gcp.gen_ai": "google",
    "x_ai": "x-ai",
}
# Tiers that cost what a call without a tier costs.
_STANDARD_TIERS = frozenset({"default", "auto", "standard", "standard_only", "on_demand"})
# The table says "processing: batch", "speed: fast" and "service_tier: flex"; spans say one word.
_TIER_KEYS = ("service_tier", "processing", "speed")


def table_source() -> str:
    """Return the name and version of the packaged table."""
    return f"genai-prices {version('genai-prices')}"


def table_context(service_tier: str) -> dict[str, str]:
    """Return what the table must be told about a call of a service tier."""
    if service_tier in _STANDARD_TIERS:
        return {}
    return dict.fromkeys(_TIER_KEYS, service_tier)


def find_table_model(provider: str, model: str) -> tuple[Any, Any] | None:
    """Look a model up in the packaged table.

    A provider the table does not know stays unknown: the same model elsewhere may cost something
    else. Only spans that name no provider at all are looked up by the model's name alone.

    Returns:
        The table's provider and model; None when it does not know them.
    """
    from genai_prices.data_snapshot import get_snapshot

    named = None if provider == UNKNOWN_PROVIDER else _PROVIDERS.get(provider, provider)
    try:
        provider_found, model_found = get_snapshot().find_provider_model(model, None, named, None)
    except LookupError:
        return None
    return provider_found, model_found


def table_periods(provider: str, model: str, service_tier: str) -> list[Period]:
    """Return the table's periods for a model, oldest first; empty when it does not know it."""
    found = find_table_model(provider, model)
    if found is None:
        return []
    owner, info = found
    # The table has no tiers for models that one provider sells for another.
    is_own = any(info is candidate for candidate in owner.models)
    context = table_context(service_tier)
    periods = [
        period
        for window in pairwise(_hours(info))
        for period in _window_periods(info, window, context, is_own=is_own)
    ]
    return sorted(periods, key=lambda period: (period.valid_from_at, period.day_from_s))


def _window_periods(
    info: Any, window: tuple[int, int], context: dict[str, str], *, is_own: bool
) -> Iterator[Period]:
    """Yield the periods of one part of the day, without changes that change nothing."""
    dated = []
    for start in _starts(info):
        moment = start + timedelta(seconds=window[0])
        bands = _bands(info.get_prices(moment, context if is_own else None))
        source = table_source()
        if context and not (is_own and _has_tier(info, moment, context)):
            source += f", standard rate for {context['service_tier']}"
        dated.append((start, bands, source))
    for (bands, source), same in groupby(dated, key=lambda one: one[1:]):
        yield Period(next(same)[0], bands, source, *window)


def _has_tier(info: Any, moment: datetime, context: dict[str, str]) -> bool:
    """Whether the table has a price of the model for a tier at a moment."""
    return any(
        (variant.constraint is None or variant.constraint.active(moment))
        and all(context.get(key) == value for key, value in variant.when.items())
        for variant in info.price_variants or ()
    )


def _constraints(info: Any) -> list[Any]:
    """Return every condition that decides which price of a model holds."""
    prices: Sequence[Any] = info.prices if isinstance(info.prices, list) else ()
    conditional = (*prices, *(info.price_variants or ()))
    return [one.constraint for one in conditional if one.constraint is not None]


def _starts(info: Any) -> list[datetime]:
    """Return every instant at which a price of a model may change."""
    dates = [getattr(constraint, "start_date", None) for constraint in _constraints(info)]
    return sorted({FIRST_INSTANT, *(_midnight(day) for day in dates if day is not None)})


def _midnight(day: date) -> datetime:
    """Return the first instant of a UTC date."""
    return datetime.combine(day, time.min, tzinfo=UTC)


def _hours(info: Any) -> list[int]:
    """Return the seconds of the day at which a price of a model changes every day."""
    hourly = [one for one in _constraints(info) if hasattr(one, "start_time")]
    edges = {_second_of_day(edge) for one in hourly for edge in (one.start_time, one.end_time)}
    return sorted({0, DAY_S, *edges})


def _second_of_day(clock: time) -> int:
    """Return the second of the UTC day; a time without a zone is UTC."""
    moment = datetime.combine(date(2000, 1, 2), clock, tzinfo=clock.tzinfo or UTC).astimezone(UTC)
    return moment.hour * 3600 + moment.minute * 60 + moment.second


def _bands(prices: Any) -> tuple[Band, ...]:
    """Return the rates by size of the prompt: a tier begins above its start."""
    amounts = [value for value in vars(prices).values() if hasattr(value, "tiers")]
    sizes = {0, *(tier.start + 1 for amount in amounts for tier in amount.tiers)}
    return tuple(Band(size, _rates(prices, size)) for size in sorted(sizes))


def _rates(prices: Any, input_tokens: int) -> Rates:
    """Return the rates of a prompt of some size."""

    def price(name: str) -> Decimal | None:
        return _amount(getattr(prices, name), input_tokens)

    searches = price("web_searches_kcount")
    return complete_rates(
        input_price=price("input_mtok"),
        output_price=price("output_mtok"),
        cache_read=price("cache_read_mtok"),
        cache_write=price("cache_write_mtok"),
        cache_write_1h=price("cache_write_1h_mtok"),
        reasoning=price("output_reasoning_mtok"),
        web_search=None if searches is None else searches / _SEARCHES_PER_PRICE,
    )


def _amount(amount: Any, input_tokens: int) -> Decimal | None:
    """Return a flat price, or the price of the highest tier that a prompt reaches."""
    if not hasattr(amount, "tiers"):
        flat: Decimal | None = amount
        return flat
    reached: Decimal = amount.base
    for tier in amount.tiers:
        if input_tokens > tier.start:
            reached = tier.price
    return reached
