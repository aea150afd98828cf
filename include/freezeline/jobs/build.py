"""Build the warehouse of one night: price book, then every dbt model and its tests.

The whole warehouse is rebuilt from the lake each night (docs/decisions/0003), so a late fact or
a corrected price restates the past instead of patching it. What the Python stages wrote, the
judgement tables, is kept. Where another engine builds (docs/decisions/0013), its marts are copied
into the DuckDB file, so that the stages after this one are the same for every target.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import as_file, files
from pathlib import Path

from include.freezeline.adapters.dbt import run_dbt_build
from include.freezeline.adapters.lake import SCHEMA_FILE, Lake
from include.freezeline.adapters.targets import Target, landed_spans, target_of
from include.freezeline.adapters.warehouse import Warehouse, open_warehouse
from include.freezeline.config import config_dir
from include.freezeline.contracts.columns import Table
from include.freezeline.contracts.lake import LAKE_TABLES, PRICE_BOOK
from include.freezeline.cost.overrides import load_price_overrides
from include.freezeline.cost.periods import DEFAULT_TIER
from include.freezeline.cost.policy import load_cost_policy
from include.freezeline.cost.price_book import ModelRef, plan_price_book
from include.freezeline.cost.price_table import UNKNOWN_PROVIDER
from include.freezeline.evaluations.policy import load_evaluation_policy
from include.freezeline.facts.spec import FactSpec, fact_table, load_fact_specs
from include.freezeline.jobs.break_glass import write_events
from include.freezeline.settings import Settings

# Facts that make a good request a bad one when they arrive.
_BAD_OUTCOMES = ("escalations", "overrides")
# The models that read nothing but the judgement tables.
_JUDGEMENT_MODELS = ("staging.judgement", "marts.verdicts")
_MODELS_SQL = """
    select distinct
        coalesce(provider, $unknown) as provider,
        coalesce(response_model, request_model) as model,
        coalesce(lower(service_tier), $tier) as service_tier
    from {spans}
    where (is_leaf_model_call or span_type in ('embedding', 'rerank'))
        and coalesce(response_model, request_model) is not null
"""


@dataclass(frozen=True, slots=True)
class BuildSummary:
    """What one build did.

    Attributes:
        as_of: Exclusive end of what the tables know.
        n_models: dbt models built.
        n_tests_passed: Data tests that held.
        n_tests_warned: Data tests that warned.
        n_calls: Rows of ``marts.fct_llm_calls``.
        n_unpriced_calls: Calls without a price.
        unpriced_models: Models that nobody has a price for, as ``provider/model``.
        seconds_by_node: Run time of every model and test, slowest first.
    """

    as_of: datetime
    n_models: int
    n_tests_passed: int
    n_tests_warned: int
    n_calls: int
    n_unpriced_calls: int
    unpriced_models: tuple[str, ...]
    seconds_by_node: Mapping[str, float]


def build(settings: Settings, as_of: datetime) -> BuildSummary:
    """Build every table of the warehouse as known before ``as_of``.

    Raises:
        WarehouseError: A model or a data test failed; the message names it and its SQL.
        ConfigError: A fact or price file is wrong.
    """
    lake, target = Lake(settings.lake_dir), target_of(settings)
    _write_schema_files(lake, settings)
    write_events(settings, lake)
    if target:
        target.hand_over_lake(_landed_tables(settings))
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        warehouse.ensure_judgement_tables()
        if target:
            target.prepare_build(warehouse, lake_tables(settings))
        models = _models_in_lake(warehouse, settings)
    unpriced = _write_price_book(lake, settings, models)
    if target:
        target.hand_over_lake([PRICE_BOOK])
    done = run_dbt_build(settings, dbt_variables(settings, as_of))
    if target:
        _fetch(settings, target, as_of)
    n_calls, n_unpriced_calls = _count_calls(settings.warehouse_path)
    return BuildSummary(
        as_of=as_of,
        n_models=done.n_models,
        n_tests_passed=done.n_tests_passed,
        n_tests_warned=done.n_tests_warned,
        n_calls=n_calls,
        n_unpriced_calls=n_unpriced_calls,
        unpriced_models=unpriced,
        seconds_by_node=done.seconds_by_node,
    )


def dbt_variables(settings: Settings, as_of: datetime) -> dict[str, object]:
    """Return the variables the dbt project needs; paths are absolute."""
    maturities = {spec.name: spec.maturity_h for spec in _fact_specs(settings)}
    return {
        "as_of": as_of.isoformat(),
        "outcome_maturity_h": f"{max(maturities[name] for name in _BAD_OUTCOMES):g}",
        "lake_dir": str(settings.lake_dir.resolve()),
        "warehouse_path": str(settings.warehouse_path.resolve()),
        **load_cost_policy(config_dir(settings)).variables(),
        **load_evaluation_policy(config_dir(settings)).variables(),
    }


def lake_tables(settings: Settings) -> list[Table]:
    """Return every table the models read: the contracts, then the facts."""
    return [*LAKE_TABLES, *map(fact_table, _fact_specs(settings))]


def hand_over(settings: Settings) -> int:
    """Give a shared target what this machine has landed; a target that is not needs nothing.

    Returns:
        How many files were handed over.

    Raises:
        ConfigError: The target lacks a setting, or something it needs is not installed.
        WarehouseError: The target cannot be reached.
    """
    target = target_of(settings)
    return target.hand_over_lake(_landed_tables(settings)) if target else 0


def _landed_tables(settings: Settings) -> list[Table]:
    """Return the tables that landing writes."""
    return [table for table in lake_tables(settings) if table.name != PRICE_BOOK.name]


def _fetch(settings: Settings, target: Target, as_of: datetime) -> None:
    """Copy the marts into the DuckDB file; the verdict marts are views of its own tables."""
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        target.fetch_marts(warehouse)
    here = settings.model_copy(update={"target": "duckdb"})
    run_dbt_build(here, dbt_variables(here, as_of), select=_JUDGEMENT_MODELS)


def _fact_specs(settings: Settings) -> list[FactSpec]:
    """Return every fact, the company's own before the packaged one of the same name.

    The packaged facts are always among them, since the packaged models read them: a company that
    has no conversions has an empty table of conversions.
    """
    with as_file(files("include").joinpath("config")) as packaged:
        specs = {spec.name: spec for spec in load_fact_specs(packaged)}
    specs |= {spec.name: spec for spec in load_fact_specs(config_dir(settings))}
    return [specs[name] for name in sorted(specs)]


def _write_schema_files(lake: Lake, settings: Settings) -> None:
    """Give every table one file without rows.

    A table nobody has landed yet is then empty instead of missing, and a column that old files
    lack is known with its type.
    """
    for table in lake_tables(settings):
        lake.write_rows(table, [], lake.root / table.name / SCHEMA_FILE)


def _models_in_lake(warehouse: Warehouse, settings: Settings) -> list[ModelRef]:
    """Return the models that answered a call, by the name they are priced under."""
    parameters = {"unknown": UNKNOWN_PROVIDER, "tier": DEFAULT_TIER}
    with landed_spans(settings, warehouse) as spans:
        found = warehouse.rows(_MODELS_SQL.format(spans=spans), parameters)
    return [ModelRef(**row) for row in found]


def _write_price_book(lake: Lake, settings: Settings, models: list[ModelRef]) -> tuple[str, ...]:
    """Write the prices of the models and return the models without one."""
    rows = plan_price_book(models, load_price_overrides(config_dir(settings)))
    lake.write_rows(PRICE_BOOK, rows, lake.root / PRICE_BOOK.name / "price_book.parquet")
    unpriced = {f"{r['provider']}/{r['model']}" for r in rows if r["unpriced_reason"] is not None}
    return tuple(sorted(unpriced))


def _count_calls(path: Path) -> tuple[int, int]:
    """Count the built calls, all and those without a price."""
    with open_warehouse(path, read_only=False) as warehouse:
        (row,) = warehouse.rows(
            "select count(*) as n, count(*) filter (where cost_usd is null) as u "
            "from marts.fct_llm_calls"
        )
    return int(row["n"]), int(row["u"])
