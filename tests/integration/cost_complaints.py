"""Calls that somebody's cost report got wrong, from public threads, and what they cost."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Complaint:
    """A call that somebody's cost report got wrong, and what it costs.

    Attributes:
        source: Public thread. It gives the shape of the call and, where a comment quotes it, the
            amount; counts that it does not give are filled in.
        provider: Provider as spans name it.
        model: Model that answered.
        tokens: Token counts and what else decides the cost.
        cost_usd: Right amount, worked out by hand or quoted from the thread.
    """

    source: str
    provider: str
    model: str
    tokens: dict[str, Any]
    cost_usd: str
    started_at: datetime = field(default=datetime(2026, 10, 12, 12, tzinfo=UTC))


def usage(
    input_tokens: int,
    output_tokens: int,
    *,
    read: int | None = None,
    written: int | None = None,
    **values: Any,
) -> dict[str, Any]:
    """Return the columns of a call's usage."""
    counts = {"input_tokens": input_tokens, "output_tokens": output_tokens}
    return {**counts, "cache_read_tokens": read, "cache_write_tokens": written, **values}


COMPLAINTS = (
    # 26.74 dollars reported for a month that AWS billed at 770; its example call is known
    Complaint(
        "BerriAI/litellm#8514", "aws.bedrock", "anthropic.claude-3-5-sonnet-20241022-v2:0",
        usage(56_100, 4_900), "0.2418",
    ),
    # cache_hit is false on every row while 38K to 561K tokens came from the provider's cache
    Complaint(
        "BerriAI/litellm#11364 sonnet", "anthropic", "claude-sonnet-4-6",
        usage(40_000, 500, read=38_000, is_gateway_cache_hit=False), "0.0249",
    ),
    Complaint(
        "BerriAI/litellm#11364 opus", "anthropic", "claude-opus-4-6",
        usage(562_000, 500, read=561_000, is_gateway_cache_hit=False), "0.298",
    ),
    # only the 448 reasoning tokens were billed, not the 34 others
    Complaint(
        "BerriAI/litellm#18599", "openai", "gpt-5-nano-2025-08-07",
        usage(17, 482, read=0, reasoning_tokens=448, service_tier="default"), "0.00019365",
    ),
    # a miss, its replay by the gateway, and a prompt that the provider had cached
    Complaint("BerriAI/litellm#39057 miss", "openai", "gpt-4.1", usage(90, 10), "0.00026"),
    Complaint(
        "BerriAI/litellm#39057 replay", "openai", "gpt-4.1",
        usage(90, 10, read=60, is_gateway_cache_hit=True), "0",
    ),
    Complaint(
        "BerriAI/litellm#39057 prompt cache", "openai", "gpt-4.1",
        usage(90, 10, read=60, is_gateway_cache_hit=False), "0.00017",
    ),
    # searches that the provider runs are billed beside the tokens: 3 at 10 dollars per thousand
    Complaint(
        "BerriAI/litellm#42663", "anthropic", "claude-sonnet-4-5",
        usage(20_000, 1_000, is_stream=True, web_search_count=3), "0.105",
    ),
    # 3 and 15 dollars per million up to 200K, 6 and 22.50 above, for the whole call
    Complaint(
        "langfuse/langfuse#8482 at 200K", "anthropic", "claude-sonnet-4-5",
        usage(200_000, 1_000), "0.615",
    ),
    Complaint(
        "langfuse/langfuse#8482 above", "anthropic", "claude-sonnet-4-5",
        usage(200_001, 1_000), "1.222506",
    ),
    Complaint(
        "NousResearch/hermes-agent#93678", "gcp.gemini", "gemini-3.1-pro-preview",
        usage(250_000, 0), "1",
    ),
    # Gemini's 495 thoughts were counted and not billed
    Complaint(
        "langfuse/langfuse#12531", "gcp.gemini", "gemini-3-pro-preview",
        usage(324, 1_859, reasoning_tokens=495), "0.022956",
    ),
    # "Billed $0.024660 where $0.034660 is correct"
    Complaint(
        "langfuse/langfuse#16508 in #16873", "anthropic", "claude-opus-5",
        usage(2, 1_386, reasoning_tokens=400), "0.03466",
    ),
    # and the other way round: 1,360 reasoning tokens billed twice
    Complaint(
        "anomalyco/opencode#17566", "openai", "gpt-5.4-pro",
        usage(14_746, 1_944, reasoning_tokens=1_360), "0.7923",
    ),
    Complaint("langfuse/langfuse#4590", "openai", "gpt-4o", usage(62_394, 214, read=60_024), "0.083095"),
    # a price that starts in 2010 has to reach calls made before it was entered
    Complaint(
        "langfuse/langfuse#12184", "anthropic", "claude-4-5-sonnet-latest",
        usage(1_000_000, 1_000_000), "21.6", datetime(2026, 2, 18, 23, tzinfo=UTC),
    ),
    # 538 fresh and 2,208 cached tokens, 133 and 64 reasoning ones: "Total Cost: $0.000584"
    Complaint(
        "pydantic/logfire#1316", "openai", "gpt-5-mini",
        usage(2_746, 197, read=2_208, reasoning_tokens=64), "0.0005837",
    ),
    # reported as 1.575 in one table and 0.36 in another
    Complaint("pydantic/logfire#2156", "anthropic", "claude-opus-4-1", usage(100_000, 1_000, read=90_000), "0.36"),
    # writing to the cache: 1.25 times the input price for five minutes, twice for an hour
    Complaint(
        "dust-tt/dust#28388 five minutes", "anthropic", "claude-sonnet-4-5",
        usage(100_000, 0, written=100_000), "0.375",
    ),
    Complaint(
        "dust-tt/dust#28388 an hour", "anthropic", "claude-sonnet-4-5",
        usage(100_000, 0, written=100_000, cache_write_1h_tokens=100_000), "0.6",
    ),
    Complaint(
        "latitude-dev/latitude-llm#4326", "anthropic", "claude-sonnet-4-5",
        usage(52_091, 216, written=52_089, cache_write_1h_tokens=45_800), "0.30162975",
    ),
    # cached tokens were billed twice, at 0.0137 instead of 0.0056
    Complaint(
        "earendil-works/pi#2148", "gcp.gemini", "gemini-3-flash-preview",
        usage(20_212, 931, read=16_298), "0.0055649",
    ),
    # o3 became five times cheaper on 2025-06-10
    Complaint(
        "pydantic/genai-prices o3 before", "openai", "o3", usage(1_000_000, 1_000_000), "50",
        datetime(2025, 5, 1, tzinfo=UTC),
    ),
)  # fmt: skip
OVERRIDES = """
overrides:
  - provider: anthropic
    model: claude-4-5-sonnet-latest
    valid_from_date: 2010-01-01
    input_usd_per_mtok: "3.6"
    output_usd_per_mtok: "18"
    reason: langfuse#12184
"""
