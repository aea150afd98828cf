"""What calls cost: amounts from public complaints, and the price library's own calculation."""

import random
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import pytest
from genai_prices import Usage, calc_price
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelPrice

from include.freezeline.adapters.warehouse import Warehouse, open_warehouse
from include.freezeline.jobs.build import build
from include.freezeline.jobs.land import land
from include.freezeline.settings import Settings
from tests.dbt.tiny_lake import ARRIVED_AT, TinyLake, at, call, span
from tests.integration.cost_complaints import COMPLAINTS, OVERRIDES, Complaint
from tests.unit.landing.bucket import write

pytestmark = [pytest.mark.integration, pytest.mark.slow]

AS_OF = datetime(2026, 11, 20, tzinfo=UTC)
SEED = 4
N_RANDOM = 400
# Costs are stored to a billionth of a dollar, prices per token to a trillionth.
COST_STEP, PRICE_STEP = Decimal(1).scaleb(-9), Decimal(1).scaleb(-12)
INVOICE = """provider,line_id,model,usage_started_at,recorded_at,billed_usd
openai,l1,gpt-4.1,2026-10-12,2026-10-13T06:00:00Z,9.00
openai,l1,gpt-4.1,2026-10-12,2026-10-13T07:00:00Z,0.00043
openai,l2,gpt-9,2026-10-12,2026-10-13T07:00:00Z,0.5
openai,l3,gpt-9,2026-10-12,2026-10-13T07:00:00Z,free
"""
LATE_LINE = {
    "provider": "openai", "line_id": "l4", "model": "gpt-4.1", "recorded_at": at(30),
    "usage_started_at": at(0), "billed_usd": Decimal(3), "arrived_at": AS_OF,
}  # fmt: skip

# Providers of the random calls, as spans and as the table name them.
PROVIDERS = {
    "openai": "openai", "anthropic": "anthropic", "gcp.gemini": "google", "deepseek": "deepseek",
    "mistral_ai": "mistral", "x_ai": "x-ai", "azure.ai.openai": "azure", "aws.bedrock": "aws",
    "perplexity": "perplexity", "openrouter": "openrouter", "groq": "groq",
}  # fmt: skip
# Batch and flex prices are in the table since the middle of October 2026.
DAYS = ("2025-05-01T00:00Z", "2026-02-03T00:00Z", "2026-10-13T00:00Z", "2026-10-14T00:00Z",
        "2026-11-19T00:00Z")  # fmt: skip
TIERS = (None, None, "default", "batch", "flex", "priority", "fast")


def random_call(rng: random.Random, models: list[tuple[str, str]]) -> dict[str, Any]:
    """Return a call of some model at some time, of some size, with some of it cached."""
    provider, model = rng.choice(models)
    size = rng.choice((1_000, 150_000, 200_000, 200_001, 272_000, 272_001, 900_000))
    read = rng.choice((0, rng.randrange(size)))
    written = rng.choice((0, rng.randrange(size - read)))
    output = rng.randrange(20_000)
    day = datetime.fromisoformat(rng.choice(DAYS))
    return {
        "provider": provider,
        "response_model": model,
        "service_tier": rng.choice(TIERS),
        "started_at": day + timedelta(seconds=rng.randrange(86_400)),
        "input_tokens": size,
        "cache_read_tokens": read,
        "cache_write_tokens": written,
        "cache_write_1h_tokens": rng.choice((None, rng.randrange(written + 1))),
        "output_tokens": output,
        "reasoning_tokens": rng.choice((None, rng.randrange(output + 1))),
    }


def table_models() -> list[tuple[str, str]]:
    """Return models that answer in tokens: every model with rules, and as many without."""
    found: dict[bool, list[tuple[str, str]]] = {True: [], False: []}
    owners = {provider.id: provider for provider in get_snapshot().providers}
    for name, table_name in PROVIDERS.items():
        for model in owners[table_name].models:
            if owners[table_name].find_model(model.id) is not model:
                continue  # the table does not know it by its own id
            rules = model.prices if isinstance(model.prices, list) else []
            flat = [rule.prices for rule in rules] or [model.prices]
            if all(isinstance(p, ModelPrice) and p.input_mtok and p.output_mtok for p in flat):
                is_ruled = bool(rules or model.price_variants or "Tiered" in repr(model.prices))
                found[is_ruled].append((name, model.id))
    return found[True] + random.Random(SEED).sample(found[False], len(found[True]))  # noqa: S311


def library_cost(row: dict[str, Any], moment: datetime) -> Decimal:
    """Return what genai-prices makes of a call."""
    tier = row["service_tier"]
    counts = {
        "input_tokens": row["input_tokens"],
        "output_tokens": row["output_tokens"],
        "cache_read_tokens": row["cache_read_tokens"],
        "cache_write_tokens": row["cache_write_tokens"],
        "cache_write_1h_tokens": row["cache_write_1h_tokens"] or 0,
        "output_reasoning_tokens": row["reasoning_tokens"] or 0,
    }
    context = {"batch": {"processing": "batch"}, "fast": {"service_tier": "fast", "speed": "fast"}}
    return calc_price(
        Usage(**counts),
        row["response_model"],
        provider_id=PROVIDERS[row["provider"]],
        genai_request_timestamp=moment,
        price_context=context.get(tier, {"service_tier": tier}) if tier else None,
    ).total_price


def of_complaint(number: int, complaint: Complaint) -> dict[str, Any]:
    """Return the span of a complaint."""
    return call(
        number,
        provider=complaint.provider,
        request_model=complaint.model,
        response_model=complaint.model,
        started_at=complaint.started_at,
        **complaint.tokens,
    )


@pytest.fixture(scope="module")
def random_calls() -> dict[str, dict[str, Any]]:
    """The random calls by span id."""
    rng, models = random.Random(SEED), table_models()  # noqa: S311
    drawn = (random_call(rng, models) for _ in range(N_RANDOM))
    return {f"{number:016x}": row for number, row in enumerate(drawn, start=10_000)}


@pytest.fixture(scope="module")
def warehouse(
    tmp_path_factory: pytest.TempPathFactory, random_calls: dict[str, dict[str, Any]]
) -> Iterator[Warehouse]:
    """The warehouse of all calls, built once."""
    folder = tmp_path_factory.mktemp("cost")
    settings = Settings.model_validate(
        {
            "home": folder / "home",
            "source_uri": (folder / "bucket").as_uri(),
            "config_dir": write_config(folder),
            "pseudonym_key": "test-key",
        }
    )
    write(settings, "facts/invoice_lines/dt=2026-10-13/lines.csv", INVOICE.encode())
    land(settings, datetime(2026, 10, 14, tzinfo=UTC))
    lake = TinyLake(settings)
    # an agent around the first call, which repeats its tokens as some instrumentations do
    agent = span(9_999, 1, "agent", input_tokens=56_100, output_tokens=4_900)
    lake.spans("traces/a", [*(of_complaint(n, c) for n, c in enumerate(COMPLAINTS, 1)), agent])
    lake.spans("traces/b", [call(int(key, 16), **row) for key, row in random_calls.items()])
    lake.ledger("traces/a", object_size_bytes=2**30, arrived_at=ARRIVED_AT)
    lake.facts("invoice_lines", "facts/invoice_lines/late", [LATE_LINE])
    build(settings, AS_OF)
    with open_warehouse(settings.warehouse_path, read_only=True) as opened:
        yield opened


def write_config(folder: Path) -> Path:
    """Write the packaged policies with an override."""
    with as_file(files("include").joinpath("config")) as packaged:
        config = Path(shutil.copytree(packaged, folder / "config"))
    (config / "price_overrides.yml").write_text(OVERRIDES, encoding="utf-8")
    sources = config / "sources.yml"
    sources.write_text(sources.read_text().replace("expected: true", "expected: false"))
    return config


def cost_of(warehouse: Warehouse, complaint: Complaint) -> dict[str, Any]:
    """Return the costs of a complaint's call."""
    number = COMPLAINTS.index(complaint) + 1
    sql = "select * from marts.fct_call_costs where span_id = ?"
    (row,) = warehouse.rows(sql, [f"{number:016x}"])
    return row


@pytest.mark.parametrize("complaint", COMPLAINTS, ids=lambda complaint: complaint.source)
def test_call_of_a_complaint_costs_what_was_billed(
    warehouse: Warehouse, complaint: Complaint
) -> None:
    row = cost_of(warehouse, complaint)
    assert row["cost_usd"] == Decimal(complaint.cost_usd), row
    assert row["unpriced_reason"] is None


def test_gateways_replay_is_served_and_never_looks_like_a_providers_cache(
    warehouse: Warehouse,
) -> None:
    named = {complaint.source: complaint for complaint in COMPLAINTS}
    names = ("served_tokens", "provider_tokens", "billable_tokens", "billable_cache_read_tokens")
    quantities = {
        source.rpartition("39057 ")[2]: [cost_of(warehouse, named[source])[name] for name in names]
        for source in named
        if "39057" in source
    }
    assert quantities == {
        "miss": [100, 100, 100, 0],
        "replay": [100, 0, 0, 0],
        "prompt cache": [100, 100, 100, 60],
    }


def test_replayed_usage_does_not_raise_the_cache_hit_ratio(warehouse: Warehouse) -> None:
    rows = warehouse.rows(
        "select is_gateway_cache_hit, cache_read_tokens from marts.fct_llm_calls"
        " where request_model = 'gpt-4.1' and input_tokens = 90 and cache_read_tokens is not null"
        " order by cache_read_tokens"
    )
    assert [tuple(row.values()) for row in rows] == [(True, 0), (False, 60)]


def test_parent_that_repeats_the_tokens_of_a_call_costs_nothing(warehouse: Warehouse) -> None:
    rows = warehouse.rows(
        "select cost_usd from marts.fct_call_costs where trace_id = ?", [f"{1:032x}"]
    )
    assert rows == [{"cost_usd": Decimal(COMPLAINTS[0].cost_usd)}]


def test_old_call_is_priced_as_then_and_as_today(warehouse: Warehouse) -> None:
    row = cost_of(warehouse, COMPLAINTS[-1])
    assert (row["cost_usd"], row["cost_today_usd"]) == (50, 10)


def test_random_calls_cost_what_the_price_library_says(
    warehouse: Warehouse, random_calls: dict[str, dict[str, Any]]
) -> None:
    rows = warehouse.rows("select span_id, cost_usd, cost_today_usd from marts.fct_call_costs")
    ours = {row.pop("span_id"): tuple(row.values()) for row in rows}
    assert random_calls.keys() <= ours.keys()
    theirs = {
        key: (library_cost(row, row["started_at"]), library_cost(row, at_as_of(row)))
        for key, row in random_calls.items()
    }
    wrong = [key for key, right in theirs.items() if not agree(ours[key], right, random_calls[key])]
    shown = [(random_calls[key], ours[key], theirs[key]) for key in wrong[:1]]
    assert not wrong, f"{len(wrong)} of {N_RANDOM} differ: {shown}"


def at_as_of(row: dict[str, Any]) -> datetime:
    """Return the time of day of a call on the last day that is known."""
    return datetime.combine(AS_OF.date() - timedelta(days=1), row["started_at"].timetz())


def agree(ours: tuple[Any, ...], theirs: tuple[Decimal, ...], row: dict[str, Any]) -> bool:
    """Whether two costs are the same but for what storing them rounds."""
    tokens = row["input_tokens"] + row["output_tokens"]
    rounding = (COST_STEP + PRICE_STEP * tokens) / 2
    pairs = zip(ours, theirs, strict=True)
    return all(our is not None and abs(our - their) <= rounding for our, their in pairs)


def test_invoice_is_held_against_the_calls_of_its_day(warehouse: Warehouse) -> None:
    rows = warehouse.rows(
        "select model, billed_usd, computed_usd, gap_usd, reason, verdict"
        " from marts.agg_invoice_gap_daily where n_invoice_lines > 0 order by model"
    )
    assert [tuple(row.values()) for row in rows] == [
        # the miss and the prompt cache of litellm#39057; the replay was not billed
        ("gpt-4.1", Decimal("0.00043"), Decimal("0.00043"), 0, "within_limits", "ok"),
        ("gpt-9", Decimal("0.5"), None, None, "no_call_of_the_model", "insufficient_evidence"),
    ]


@pytest.mark.parametrize("mart", ["agg_cost_hourly", "agg_user_cost_daily"])
def test_every_dollar_and_every_unpriced_call_is_attributed_once(
    warehouse: Warehouse, mart: str
) -> None:
    (calls,) = warehouse.rows(
        "select count(*) as n, sum(cost_usd) as cost, sum(cost_today_usd) as today,"
        " count(*) filter (where cost_usd is null) as unpriced from marts.fct_call_costs"
    )
    (shares,) = warehouse.rows(
        f"select sum(n_calls) as n, sum(cost_usd) as cost, sum(cost_today_usd) as today,"
        f" sum(n_unpriced_calls) as unpriced from marts.{mart}"
    )
    assert shares == calls


def test_telemetry_is_priced_beside_the_spend_of_its_service(warehouse: Warehouse) -> None:
    (row,) = warehouse.rows("select * from marts.agg_telemetry_cost_daily")
    assert (row["n_spans"], row["stored_bytes"]) == (len(COMPLAINTS) + 1, 2**30)
    assert (row["telemetry_usd"], row["verdict"]) == (Decimal("0.6"), "ok")


def test_random_calls_meet_every_rule_of_the_price_book(
    warehouse: Warehouse, random_calls: dict[str, dict[str, Any]]
) -> None:
    (met,) = warehouse.rows(
        "select count(*) filter (where cost_usd <> cost_today_usd) as dated,"
        " count(*) filter (where price_source like '%standard rate%') as untiered,"
        " count(*) filter (where provider = 'deepseek') as hourly,"
        " count(*) filter (where billable_cache_write_1h_tokens > 0) as written,"
        " count(*) filter (where billable_reasoning_tokens > 0) as reasoned"
        " from marts.fct_call_costs where span_id >= ?",
        [min(random_calls)],
    )
    assert min(met.values()) > 0, met
