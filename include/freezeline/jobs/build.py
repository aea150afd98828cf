"""Build the warehouse of one night: price book, then dbt's models and their tests.

A night builds the days that what arrived touches (docs/decisions/0012); when something changed
that speaks of the whole past, it builds everything from the lake, which gives the same rows. What
the Python stages wrote, the judgement tables, is kept. Where another engine builds
(docs/decisions/0013), it builds everything, and its marts are copied into the DuckDB file, so that
the stages after this one are the same for every target.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import as_file, files

from include.freezeline.adapters.built_state import BuiltState
from include.freezeline.adapters.dbt import run_dbt_build
from include.freezeline.adapters.lake import SCHEMA_FILE, Lake
from include.freezeline.adapters.slice_planner import SlicePlanner
from include.freezeline.adapters.targets import Target, landed_spans, target_of
from include.freezeline.adapters.warehouse import Warehouse, open_warehouse
from include.freezeline.config import config_dir
from include.freezeline.contracts.columns import Table
from include.freezeline.contracts.lake import LAKE_TABLES, PRICE_BOOK
from include.freezeline.cost.policy import load_cost_policy
from include.freezeline.evaluations.policy import load_evaluation_policy
from include.freezeline.facts.spec import FactSpec, fact_table, load_fact_specs
from include.freezeline.jobs.break_glass import write_events
from include.freezeline.jobs.build_plan import (
    MODELS_SQL,
    BuildRequest,
    PlannedBuild,
    model_refs,
    plan_build,
    write_price_book,
)
from include.freezeline.settings import Settings

# Facts that make a good request a bad one when they arrive.
_BAD_OUTCOMES = ("escalations", "overrides")
# The models that read nothing but the judgement tables.
_JUDGEMENT_MODELS = ("path:models/staging/judgement", "path:models/marts/verdicts")


@dataclass(frozen=True, slots=True)
class BuildSummary:
    """What one build did.

    Attributes:
        as_of: Exclusive end of what the tables know.
        scope: Which days were built, in words.
        n_touched_days: Days of calls that were built; None when it was everything.
        n_models: dbt models built.
        n_tests_passed: Data tests that held.
        n_tests_warned: Data tests that warned.
        n_calls: Rows of ``marts.fct_llm_calls``.
        n_unpriced_calls: Calls without a price.
        unpriced_models: Models that nobody has a price for, as ``provider/model``.
        seconds_by_node: Run time of every model and test, slowest first.
    """

    as_of: datetime
    scope: str
    n_touched_days: int | None
    n_models: int
    n_tests_passed: int
    n_tests_warned: int
    n_calls: int
    n_unpriced_calls: int
    unpriced_models: tuple[str, ...]
    seconds_by_node: Mapping[str, float]


def build(
    settings: Settings, as_of: datetime, *, is_everything: bool = False, has_tests: bool = True
) -> BuildSummary:
    """Build the tables of the warehouse as known before ``as_of``.

    Args:
        settings: Where lake and warehouse are.
        as_of: Exclusive end of what the tables will know.
        is_everything: Whether to build every day, even when a slice would do.
        has_tests: Whether to run the data tests too, as every night does.

    Raises:
        WarehouseError: A model or a data test failed; the message names it and its SQL.
        ConfigError: A fact or price file is wrong.
    """
    lake, target = Lake(settings.lake_dir), target_of(settings)
    _write_schema_files(lake, settings)
    write_events(settings, lake)
    if target:
        return _build_elsewhere(settings, target, as_of, has_tests=has_tests)
    variables = dbt_variables(settings, as_of)
    request = BuildRequest(
        settings, as_of, _fact_specs(settings), variables, lake_tables(settings), is_everything
    )
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        warehouse.ensure_judgement_tables()
        planned = plan_build(warehouse, request)
    cut = {} if planned.slice is None else {"night_slice": planned.slice.as_variable()}
    done = run_dbt_build(settings, variables | cut, has_data_tests=has_tests)
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        _record(warehouse, request, planned)
        n_calls, n_unpriced_calls = _count_calls(warehouse)
    return BuildSummary(
        as_of=as_of,
        scope=planned.scope,
        n_touched_days=None if planned.slice is None else len(planned.slice.touched["event"]),
        n_models=done.n_models,
        n_tests_passed=done.n_tests_passed,
        n_tests_warned=done.n_tests_warned,
        n_calls=n_calls,
        n_unpriced_calls=n_unpriced_calls,
        unpriced_models=planned.unpriced_models,
        seconds_by_node=done.seconds_by_node,
    )


def dbt_variables(settings: Settings, as_of: datetime) -> dict[str, object]:
    """Return the variables the dbt project needs; paths are absolute."""
    specs = {spec.name: spec for spec in _fact_specs(settings)}
    return {
        "as_of": as_of.isoformat(),
        "outcome_maturity_h": f"{max(specs[name].maturity_h for name in _BAD_OUTCOMES):g}",
        "outcomes_delivered_by": {
            name: list(spec.delivered_by) for name, spec in specs.items() if spec.subject_ids
        },
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
    has no conversions has an empty table of conversions, and one whose own file says nothing of
    runs or conversations has empty columns of them.
    """
    with as_file(files("include").joinpath("config")) as folder:
        packaged = {spec.name: spec for spec in load_fact_specs(folder)}
    specs = dict(packaged)
    for spec in load_fact_specs(config_dir(settings)):
        known = packaged.get(spec.name)
        specs[spec.name] = spec if known is None else spec.with_subjects_of(known)
    return [specs[name] for name in sorted(specs)]


def _write_schema_files(lake: Lake, settings: Settings) -> None:
    """Give every table one file without rows.

    A table nobody has landed yet is then empty instead of missing, and a column that old files
    lack is known with its type.
    """
    for table in lake_tables(settings):
        lake.write_rows(table, [], lake.root / table.name / SCHEMA_FILE)


def _record(warehouse: Warehouse, request: BuildRequest, planned: PlannedBuild) -> None:
    """Write down what the build has seen, now that all of it ended well."""
    planner = SlicePlanner(warehouse, request.settings.lake_dir, request.specs, request.as_of)
    planner.finish(planned.looked, is_everything=planned.slice is None)
    planner.state.finish(planned.inputs)


def _build_elsewhere(
    settings: Settings, target: Target, as_of: datetime, *, has_tests: bool
) -> BuildSummary:
    """Build everything on another engine, and fetch the marts."""
    target.hand_over_lake(_landed_tables(settings))
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        warehouse.ensure_judgement_tables()
        BuiltState(warehouse).begin()  # whoever builds here next builds everything
        target.prepare_build(warehouse, lake_tables(settings))
        with landed_spans(settings, warehouse) as spans:
            models = model_refs(warehouse.rows(MODELS_SQL.format(spans=spans)))
    unpriced = write_price_book(settings, models)
    target.hand_over_lake([PRICE_BOOK])
    done = run_dbt_build(settings, dbt_variables(settings, as_of), has_data_tests=has_tests)
    _fetch(settings, target, as_of)
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        n_calls, n_unpriced_calls = _count_calls(warehouse)
    return BuildSummary(
        as_of=as_of,
        scope=f"everything (on {settings.target})",
        n_touched_days=None,
        n_models=done.n_models,
        n_tests_passed=done.n_tests_passed,
        n_tests_warned=done.n_tests_warned,
        n_calls=n_calls,
        n_unpriced_calls=n_unpriced_calls,
        unpriced_models=unpriced,
        seconds_by_node=done.seconds_by_node,
    )


def _count_calls(warehouse: Warehouse) -> tuple[int, int]:
    """Count the built calls, all and those without a price."""
    (row,) = warehouse.rows(
        "select count(*) as n, count(*) filter (where cost_usd is null) as u "
        "from marts.fct_llm_calls"
    )
    return int(row["n"]), int(row["u"])
