"""Prices: exact, dated, and absent rather than zero."""

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.freezeline.contracts.arrow import arrow_field
from include.freezeline.contracts.lake import PRICE_BOOK
from include.freezeline.cost.overrides import PriceOverride, load_price_overrides
from include.freezeline.cost.periods import DAY_S, FIRST_INSTANT, per_token
from include.freezeline.cost.price_book import ModelRef, plan_price_book
from include.freezeline.cost.price_table import table_periods
from include.freezeline.errors import ConfigError

GPT = ModelRef("openai", "gpt-4.1")


def override(day: date, dollars: str, *, model: str = "gpt-4.1") -> PriceOverride:
    """A price of our own from a day on."""
    return PriceOverride(
        provider="openai",
        model=model,
        valid_from_date=day,
        input_usd_per_mtok=Decimal(dollars),
        output_usd_per_mtok=Decimal(dollars),
        reason="contract",
    )


def test_price_book_has_exact_prices_per_token_when_model_is_known() -> None:
    (row,) = plan_price_book([GPT], [])
    assert row["input_usd_per_token"] == Decimal("0.000002")
    assert row["cache_read_usd_per_token"] == Decimal("0.0000005")
    assert row["output_usd_per_token"] == Decimal("0.000008")
    assert (row["valid_from_at"], row["valid_to_at"]) == (FIRST_INSTANT, None)
    assert row["price_source"].startswith("genai-prices ")
    assert row["unpriced_reason"] is None


@pytest.mark.parametrize(
    "ref",
    [ModelRef("openai", "in-house-7b"), ModelRef("acme", "gpt-4.1"), ModelRef("unknown", "zzz")],
)
def test_price_book_has_no_price_and_a_reason_when_model_or_provider_is_unknown(
    ref: ModelRef,
) -> None:
    (row,) = plan_price_book([ref], [])
    assert row["unpriced_reason"] == "unknown_model"
    assert {row[name] for name in row if name.endswith("_per_token")} == {None}


def test_price_book_looks_up_by_name_when_spans_name_no_provider() -> None:
    row, _ = plan_price_book([ModelRef("unknown", "claude-sonnet-4-5")], [])
    assert row["input_usd_per_token"] == Decimal("0.000003")


def test_price_book_has_a_row_per_size_of_the_prompt_when_price_is_tiered() -> None:
    # langfuse#8482: 3 and 15 dollars up to 200,000 tokens, 6 and 22.50 above
    rows = plan_price_book([ModelRef("anthropic", "claude-sonnet-4-5")], [])
    assert [(r["input_from_tokens"], r["input_to_tokens"]) for r in rows] == [
        (0, 200_001),
        (200_001, None),
    ]
    prices = [(r["input_usd_per_token"] * 10**6, r["output_usd_per_token"] * 10**6) for r in rows]
    assert prices == [(3, 15), (6, Decimal("22.5"))]


def test_price_book_fills_in_what_writing_to_the_cache_costs() -> None:
    anthropic, _ = plan_price_book([ModelRef("anthropic", "claude-sonnet-4-5")], [])
    five_minutes, hour = (
        anthropic[f"cache_write{ttl}_usd_per_token"] / anthropic["input_usd_per_token"]
        for ttl in ("", "_1h")
    )
    assert (five_minutes, hour) == (Decimal("1.25"), 2)  # dust#28388
    (openai,) = plan_price_book([GPT], [])
    assert openai["cache_write_1h_usd_per_token"] == openai["input_usd_per_token"]


def test_price_book_has_the_prices_of_service_tiers_that_calls_had() -> None:
    rows = plan_price_book([ModelRef("openai", "gpt-5-mini", "batch")], [])
    batch = [row for row in rows if row["service_tier"] == "batch"]
    assert {row["service_tier"] for row in rows} == {"batch", "default"}
    assert batch[0]["price_source"].endswith(", standard rate for batch")
    assert batch[-1]["price_source"] == batch[0]["price_source"].split(",")[0]
    assert batch[-1]["input_usd_per_token"] * 2 == batch[0]["input_usd_per_token"]


def test_price_book_says_standard_rate_when_a_provider_sells_anothers_model() -> None:
    rows = plan_price_book([ModelRef("azure.ai.openai", "gpt-5-mini", "batch")], [])
    batch = [row for row in rows if row["service_tier"] == "batch"]
    assert [row["price_source"].partition(", ")[2] for row in batch] == ["standard rate for batch"]


def test_price_book_has_hours_when_price_depends_on_them() -> None:
    rows = plan_price_book([ModelRef("deepseek", "deepseek-chat")], [])
    assert [(r["day_from_s"], r["day_to_s"]) for r in rows] == [
        (0, 1_800),
        (1_800, 59_400),
        (59_400, DAY_S),
    ]
    night, day, late = (row["input_usd_per_token"] for row in rows)
    assert night == late == day / 2


def test_price_book_says_when_a_model_is_sold_by_something_else_than_tokens() -> None:
    rows = plan_price_book([ModelRef("groq", "whisper-large-v3")], [])
    assert {row["unpriced_reason"] for row in rows} == {"priced_by_other_units"}


def test_table_periods_follow_each_dated_price_change() -> None:
    periods = table_periods("openai", "o3", "default")
    starts = [period.valid_from_at for period in periods]
    assert len(periods) > 1
    assert starts == sorted(set(starts))
    assert len({period.bands for period in periods}) == len(periods)


def test_override_replaces_the_table_from_its_date_on() -> None:
    rows = plan_price_book([GPT], [override(date(2026, 10, 1), "1.00")])
    cut = datetime(2026, 10, 1, tzinfo=UTC)
    assert [(r["valid_from_at"], r["valid_to_at"]) for r in rows] == [
        (FIRST_INSTANT, cut),
        (cut, None),
    ]
    assert rows[1]["input_usd_per_token"] == Decimal("0.000001")
    assert rows[1]["price_source"] == "override: contract"


def test_override_leaves_the_time_before_it_unpriced_when_table_knows_nothing() -> None:
    mine = override(date(2026, 10, 1), "1.00", model="in-house-7b")
    rows = plan_price_book([ModelRef("openai", "in-house-7b")], [mine])
    assert [row["unpriced_reason"] for row in rows] == ["unknown_model", None]


def test_override_of_another_model_changes_nothing() -> None:
    mine = override(date(2026, 10, 1), "1.00", model="other")
    assert plan_price_book([GPT], [mine]) == plan_price_book([GPT], [])


def test_price_book_rows_are_those_of_the_contract_in_one_order() -> None:
    other = ModelRef("anthropic", "claude-sonnet-4-5")
    rows = plan_price_book([GPT, other, GPT], [])
    assert [row["provider"] for row in rows] == ["anthropic", "anthropic", "openai"]
    assert tuple(rows[0]) == PRICE_BOOK.column_names
    assert rows == plan_price_book([other, GPT], [])


def test_override_of_a_tier_holds_for_that_tier_alone() -> None:
    mine = override(date(2026, 10, 1), "1.00")
    batched = mine.model_copy(update={"service_tier": "batch", "input_usd_per_mtok": Decimal(9)})
    rows = plan_price_book([ModelRef("openai", "gpt-4.1", "batch")], [mine, batched])
    prices = {
        row["service_tier"]: row["input_usd_per_token"] * 10**6
        for row in rows
        if row["price_source"].startswith("override")
    }
    assert prices == {"batch": 9, "default": 1}


def test_override_may_rise_with_the_size_of_the_prompt() -> None:
    small = override(date(2026, 10, 1), "1.00")
    large = small.model_copy(update={"above_input_tokens": 200_000, "web_search_usd": Decimal(1)})
    rows = plan_price_book([GPT], [large, small])[1:]
    assert [(r["input_from_tokens"], r["input_to_tokens"]) for r in rows] == [
        (0, 200_001),
        (200_001, None),
    ]
    assert [row["web_search_usd"] for row in rows] == [None, 1]


@given(st.lists(st.dates(date(2020, 1, 1), date(2030, 1, 1)), unique=True, max_size=6))
def test_periods_of_a_model_follow_each_other_without_gap_or_overlap(days: list[date]) -> None:
    rows = plan_price_book([GPT], [override(day, "1.00") for day in days])
    assert len(rows) == len(days) + 1
    assert rows[0]["valid_from_at"] == FIRST_INSTANT
    assert rows[-1]["valid_to_at"] is None
    assert all(one["valid_to_at"] == two["valid_from_at"] for one, two in pairwise(rows))


@given(st.decimals(min_value=0, max_value=10_000, places=4))
def test_price_per_token_is_exact_whatever_the_price(price: Decimal) -> None:
    one = per_token(price)
    assert one is not None
    assert one * 1_000_000 == price


def test_every_price_of_the_table_fits_the_price_book() -> None:
    # a few were made with floating-point numbers: 0.18000000000000002
    ref = ModelRef("huggingface_together", "Qwen/Qwen3-VL-8B-Instruct")
    (row,) = plan_price_book([ref], [])
    assert row["input_usd_per_token"] == Decimal("0.00000018")
    assert arrow_field(PRICE_BOOK.column("input_usd_per_token")).type.scale == 12


def test_overrides_are_empty_without_a_file(tmp_path: Path) -> None:
    assert load_price_overrides(tmp_path) == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("overrides: [{provider: p}]", r"overrides\.0\.model: required but missing"),
        ("overrides: []\nextra: 1", "extra: unknown key"),
        (
            "overrides:\n- &one {provider: p, model: m, valid_from_date: 2026-01-01, "
            "input_usd_per_mtok: '1', output_usd_per_mtok: '1', reason: r}\n- *one",
            "two prices for p m from 2026-01-01",
        ),
        (
            "overrides: [{provider: p, model: m, valid_from_date: 2026-01-01, "
            "above_input_tokens: 9, input_usd_per_mtok: '1', output_usd_per_mtok: '1', reason: r}]",
            "no price for the smaller prompts of p m from 2026-01-01",
        ),
        (
            "overrides: [{provider: p, model: m, valid_from_date: 2026-01-01, "
            "input_usd_per_mtok: '-1', output_usd_per_mtok: '1', reason: r}]",
            "must be at least 0",
        ),
    ],
)
def test_overrides_are_refused_with_file_and_field_when_wrong(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "price_overrides.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message) as raised:
        load_price_overrides(tmp_path)
    assert str(raised.value).startswith(str(path))


def test_overrides_are_read_exactly(tmp_path: Path) -> None:
    (tmp_path / "price_overrides.yml").write_text(
        "overrides: [{provider: p, model: m, valid_from_date: 2026-01-01, "
        "input_usd_per_mtok: '0.1', output_usd_per_mtok: '0.3', reason: r}]",
        encoding="utf-8",
    )
    (read,) = load_price_overrides(tmp_path)
    assert (read.input_usd_per_mtok, read.output_usd_per_mtok) == (Decimal("0.1"), Decimal("0.3"))
