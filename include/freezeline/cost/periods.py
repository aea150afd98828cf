"""What a price is: rates per token that hold in a period, by the size of the prompt."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

FIRST_INSTANT = datetime(1970, 1, 1, tzinfo=UTC)
DAY_S = 24 * 3600
DEFAULT_TIER = "default"
_TOKENS_PER_PRICE = Decimal(1_000_000)
_STEP = Decimal(1).scaleb(-12)  # what the price book stores


@dataclass(frozen=True, slots=True)
class Rates:
    """What each kind of token costs; what a price table leaves out is filled in here.

    A kind without a price of its own costs what the kind costs that it is a part of.

    Attributes:
        input_usd_per_token: An uncached prompt token; None when the model has no token price.
        cache_read_usd_per_token: A prompt token read from the provider's cache.
        cache_write_usd_per_token: A prompt token written to it, for five minutes.
        cache_write_1h_usd_per_token: A prompt token written to it for an hour.
        output_usd_per_token: An answer's token; None when the model answers with none.
        reasoning_usd_per_token: An answer's token spent on reasoning.
        web_search_usd: One search of the web; None when the table has no price for it.
    """

    input_usd_per_token: Decimal | None
    cache_read_usd_per_token: Decimal | None
    cache_write_usd_per_token: Decimal | None
    cache_write_1h_usd_per_token: Decimal | None
    output_usd_per_token: Decimal | None
    reasoning_usd_per_token: Decimal | None
    web_search_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class Band:
    """Rates of the calls whose prompt has at least so many tokens.

    Attributes:
        input_from_tokens: Smallest prompt; the next band ends it.
        rates: What they cost, all of their tokens and not only those above.
    """

    input_from_tokens: int
    rates: Rates


@dataclass(frozen=True, slots=True)
class Period:
    """Prices that hold from an instant on, all day or in a part of every day.

    Attributes:
        valid_from_at: First instant.
        bands: Rates by size of the prompt, the first one from 0.
        source: Price table and version, or override.
        day_from_s: First second of the UTC day.
        day_to_s: First second of the day in which they no longer hold.
    """

    valid_from_at: datetime
    bands: tuple[Band, ...]
    source: str
    day_from_s: int = 0
    day_to_s: int = DAY_S

    def shares_hours_with(self, other: "Period") -> bool:
        """Whether both hold in some second of the day."""
        return self.day_from_s < other.day_to_s and other.day_from_s < self.day_to_s


def per_token(usd_per_mtok: Decimal | None) -> Decimal | None:
    """Turn a price per million tokens into one per token, to twelve decimals.

    Nearly every price has fewer; a few were made with floating-point numbers and have 23.

    Examples:
        >>> per_token(Decimal("2.50"))
        Decimal('0.0000025')
    """
    if usd_per_mtok is None:
        return None
    return (usd_per_mtok / _TOKENS_PER_PRICE).quantize(_STEP).normalize()


def complete_rates(
    *,
    input_price: Decimal | None,
    output_price: Decimal | None,
    cache_read: Decimal | None = None,
    cache_write: Decimal | None = None,
    cache_write_1h: Decimal | None = None,
    reasoning: Decimal | None = None,
    web_search: Decimal | None = None,
) -> Rates:
    """Return rates in which no kind lacks the price of the kind it is a part of.

    Args:
        input_price: US dollars per million prompt tokens, as are the following.
        output_price: Tokens of the answer.
        cache_read: Cached prompt tokens.
        cache_write: Prompt tokens written to the cache.
        cache_write_1h: Prompt tokens written for an hour.
        reasoning: Reasoning tokens.
        web_search: US dollars per search.
    """
    write = input_price if cache_write is None else cache_write
    return Rates(
        per_token(input_price),
        per_token(input_price if cache_read is None else cache_read),
        per_token(write),
        per_token(write if cache_write_1h is None else cache_write_1h),
        per_token(output_price),
        per_token(output_price if reasoning is None else reasoning),
        web_search,
    )
