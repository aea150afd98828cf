"""Plan a build: look at the lake, write the price book, and choose the days."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from include.freezeline.adapters.dbt import project_hash
from include.freezeline.adapters.lake import Lake
from include.freezeline.adapters.lake_changes import LakeChanges
from include.freezeline.adapters.slice_planner import SlicePlanner
from include.freezeline.adapters.tombstone_files import tombstone_dir
from include.freezeline.adapters.warehouse import Warehouse
from include.freezeline.config import config_dir
from include.freezeline.contracts.columns import Table
from include.freezeline.contracts.lake import PRICE_BOOK, SPANS
from include.freezeline.cost.overrides import load_price_overrides
from include.freezeline.cost.periods import DEFAULT_TIER
from include.freezeline.cost.price_book import ModelRef, plan_price_book
from include.freezeline.cost.price_table import UNKNOWN_PROVIDER
from include.freezeline.facts.spec import FactSpec
from include.freezeline.hashing import stable_hash
from include.freezeline.settings import Settings
from include.freezeline.slices.plan import (
    BuiltInputs,
    Slice,
    is_worth_a_slice,
    reason_for_everything,
    settled_between,
)

# What a variable of the models says about when and where, not about how.
_OF_THE_NIGHT = frozenset({"as_of", "lake_dir", "warehouse_path"})
# A client's report without a trace is a mismatch from then on (marts.fct_client_outcomes).
_CLIENT_WAIT = timedelta(days=1)
# The models that answered a call, by the name they are priced under.
MODELS_SQL = f"""
    select distinct
        coalesce(provider, '{UNKNOWN_PROVIDER}') as provider,
        coalesce(response_model, request_model) as model,
        coalesce(lower(service_tier), '{DEFAULT_TIER}') as service_tier
    from {{spans}}
    where (is_leaf_model_call or span_type in ('embedding', 'rerank'))
        and coalesce(response_model, request_model) is not null
"""
_FILES = "read_parquet($files, hive_partitioning = false, union_by_name = true)"
_KNOWN_MODELS_SQL = "select distinct provider, model, service_tier from staging.{book}"
# A price of a model that was called before is different, or ends or begins between the nights.
_CHANGED_PRICES_SQL = """
    with fresh as (
        select * from read_parquet($files) as new
        where exists (
            select 1 from staging.{book} as old
            where old.provider = new.provider and old.model = new.model
                and old.service_tier = new.service_tier
        )
    ), different as (
        (select {columns} from staging.{book} except select {columns} from fresh)
        union all
        (select {columns} from fresh except select {columns} from staging.{book})
    )
    select provider, model from different
    union
    select provider, model from fresh
    where (valid_from_at >= $since and valid_from_at < $as_of)
        or (valid_to_at >= $since and valid_to_at < $as_of)
    order by all limit 1
"""
_BOOK = "stg_prices__price_book"


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """What somebody wants built.

    Attributes:
        settings: Where lake and warehouse are.
        as_of: Exclusive end of what the tables will know.
        specs: Every fact.
        variables: What the models will be given.
        tables: Every table of the lake.
        is_everything: Whether every day is wanted, even when a slice would do.
    """

    settings: Settings
    as_of: datetime
    specs: Sequence[FactSpec]
    variables: Mapping[str, object]
    tables: Sequence[Table]
    is_everything: bool

    def inputs(self) -> BuiltInputs:
        """Return what the build is made of, beside the rows of the lake."""
        columns = [[table.name, [[c.name, c.type] for c in table.columns]] for table in self.tables]
        policy = {n: value for n, value in self.variables.items() if n not in _OF_THE_NIGHT}
        stones = sorted(tombstone_dir(self.settings).glob("*.parquet"))
        return BuiltInputs(
            as_of=self.as_of,
            code_hash=stable_hash(project_hash(), columns),
            policy_hash=stable_hash(policy),
            tombstones_hash=stable_hash([[path.name, path.stat().st_size] for path in stones]),
        )

    def maturity(self) -> timedelta:
        """Return how long after a call nearly every outcome is recorded."""
        return timedelta(hours=float(str(self.variables["outcome_maturity_h"])))


@dataclass(frozen=True, slots=True)
class PlannedBuild:
    """What a build will do.

    Attributes:
        slice: Its days; None is everything.
        scope: The same in words.
        inputs: What it will have been made of.
        looked: What changed in the lake.
        unpriced_models: Models that nobody has a price for.
    """

    slice: Slice | None
    scope: str
    inputs: BuiltInputs
    looked: LakeChanges
    unpriced_models: tuple[str, ...]


def plan_build(warehouse: Warehouse, request: BuildRequest) -> PlannedBuild:
    """Choose between a slice and everything, and write the price book of the models called.

    The record of the last build is gone afterwards: the tables are about to change.
    """
    planner = SlicePlanner(warehouse, request.settings.lake_dir, request.specs, request.as_of)
    inputs, built = request.inputs(), planner.state.inputs()
    reason = "asked for" if request.is_everything else reason_for_everything(built, inputs)
    looked = planner.look(is_everything=reason is not None)
    models = _models(warehouse, planner.new_span_files(looked), is_everything=reason is not None)
    unpriced = write_price_book(request.settings, models)
    chosen: Slice | None = None
    if reason is None and built is not None:
        reason = _stands_against(warehouse, request, planner, looked, built.as_of)
        if reason is None:
            lags = (request.maturity(), _CLIENT_WAIT)
            settled = [d for lag in lags for d in settled_between(built.as_of, request.as_of, lag)]
            chosen = planner.slice(looked, settled)
            reason = _costs_too_much(chosen, planner.n_stored_days())
    if reason is not None:
        chosen, looked = None, planner.look(is_everything=True)
    planner.state.begin()
    scope = f"everything ({reason})" if chosen is None else _describe(chosen)
    return PlannedBuild(chosen, scope, inputs, looked, unpriced)


def _stands_against(
    warehouse: Warehouse,
    request: BuildRequest,
    planner: SlicePlanner,
    looked: LakeChanges,
    since: datetime,
) -> str | None:
    """Say what changed for the whole past; None when nothing did."""
    for path in looked.undated:
        return f"{path.parent.name}/{path.name} lies outside the partitions"
    for table in planner.unknown_facts(looked):
        return f"{table} changed, and nothing says which calls it is about"
    return _changed_price(warehouse, request.settings, since, request.as_of)


def _costs_too_much(chosen: Slice, n_stored_days: int) -> str | None:
    """Say why a slice is not worth it; None when it is."""
    n_days = len(chosen.loaded[SPANS.name])
    if is_worth_a_slice(n_days, n_stored_days):
        return None
    return f"{n_days} of {n_stored_days} days would be read"


def _models(
    warehouse: Warehouse, span_files: Sequence[str], *, is_everything: bool
) -> list[ModelRef]:
    """Return the models of new spans, and those known already."""
    rows = []
    if span_files:
        rows += warehouse.rows(MODELS_SQL.format(spans=_FILES), {"files": list(span_files)})
    if not is_everything:
        rows += warehouse.rows(_KNOWN_MODELS_SQL.format(book=_BOOK))
    return model_refs(rows)


def model_refs(rows: Iterable[Mapping[str, Any]]) -> list[ModelRef]:
    """Return models, each once and in order."""
    refs = {ModelRef(**row) for row in rows}
    return sorted(refs, key=lambda ref: (ref.provider, ref.model, ref.service_tier))


def write_price_book(settings: Settings, models: Sequence[ModelRef]) -> tuple[str, ...]:
    """Write the prices of the models and return the models without one."""
    rows = plan_price_book(models, load_price_overrides(config_dir(settings)))
    Lake(settings.lake_dir).write_rows(PRICE_BOOK, rows, _price_book_path(settings))
    unpriced = {f"{r['provider']}/{r['model']}" for r in rows if r["unpriced_reason"] is not None}
    return tuple(sorted(unpriced))


def _price_book_path(settings: Settings) -> Path:
    """Return where the price book lies."""
    return settings.lake_dir / PRICE_BOOK.name / "price_book.parquet"


def _changed_price(
    warehouse: Warehouse, settings: Settings, since: datetime, as_of: datetime
) -> str | None:
    """Say why the costs of past calls differ; None when they do not."""
    rows = warehouse.rows(
        _CHANGED_PRICES_SQL.format(book=_BOOK, columns=", ".join(PRICE_BOOK.column_names)),
        {"files": str(_price_book_path(settings)), "since": since, "as_of": as_of},
    )
    for row in rows:
        return f"a price of {row['provider']}/{row['model']} changed"
    return None


def _describe(chosen: Slice) -> str:
    """Say which days a slice has."""
    days = chosen.touched["event"]
    span = f", {days[0]} to {days[-1]}" if days else ""
    return f"{len(days)} touched days{span}; {len(chosen.loaded[SPANS.name])} days of spans read"
