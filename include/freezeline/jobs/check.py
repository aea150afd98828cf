"""Check: a failed critical expectation stops the night before anyone reads the tables."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import get_args

import pandas as pd
from pyarrow.dataset import dataset

from include.freezeline.adapters.gx import CheckedTable
from include.freezeline.adapters.lake import Lake, object_hash
from include.freezeline.adapters.lake_books import LakeBooks
from include.freezeline.adapters.unchecked import UncheckedObjects
from include.freezeline.adapters.warehouse import Warehouse, open_warehouse
from include.freezeline.config import config_dir
from include.freezeline.contracts.arrow import arrow_schema
from include.freezeline.contracts.columns import Table
from include.freezeline.contracts.lake import LEDGER, SPANS
from include.freezeline.errors import EmptyNightError
from include.freezeline.expectations import business_facts, landed_batch, published_marts
from include.freezeline.expectations.published_marts import MART_COLUMNS, ROW_NAMES, MartName
from include.freezeline.facts.spec import FactSpec, fact_table, load_fact_specs
from include.freezeline.jobs.check_outcomes import CheckSummary, check_boundary, conclude
from include.freezeline.settings import Settings

# Older days were checked on the nights that built them; late data of a week is checked again.
_RECENT_DAYS = 7


_LANDED_SQL = """
with newest as (
    select * from judgement.check_results where suite_name in $suites
    qualify row_number() over (partition by check_key order by revision desc) = 1
), passed as (
    select as_of from newest group by as_of having bool_and(is_success or severity = 'warning')
)
select source_object,
    night_as_of = $as_of or night_as_of not in (select as_of from passed) as is_new
from read_parquet($books, hive_partitioning = false)
where status = 'landed' and arrived_at < $as_of
"""


def check_landed(settings: Settings, as_of: datetime) -> CheckSummary:
    """Check the spans and facts that the run of ``as_of`` landed.

    Objects of earlier nights whose check never passed are checked again, so that a batch which
    stopped one night cannot slip into the tables on the next; and so are objects that came late,
    for a night that had passed. A run that found nothing new,
    because an earlier run of the night had landed and checked everything, has nothing to check.

    Raises:
        CheckFailedError: A critical expectation failed.
        EmptyNightError: Nothing was ever landed.
    """
    specs = load_fact_specs(config_dir(settings))
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        warehouse.ensure_judgement_tables()
        unchecked = UncheckedObjects(settings)
        lake = Lake(settings.lake_dir)
        landed = _landed_hashes(warehouse, lake, settings, as_of) | unchecked.read()
        found = [
            check_boundary(settings, warehouse, boundary, tables, as_of)
            for boundary, tables in (
                (landed_batch.SUITE_NAME, _landed_spans(lake, landed)),
                (
                    business_facts.SUITE_NAME,
                    [*_landed_facts(lake, specs, landed), *_deliveries(lake, specs, as_of)],
                ),
            )
        ]
        summary = conclude(found, as_of)
        unchecked.remove(landed)
        return summary


def check_marts(
    settings: Settings, as_of: datetime, interval_start: datetime | None = None
) -> CheckSummary:
    """Check the calls and the daily aggregate of the interval, and of the recent days.

    Args:
        settings: Where the warehouse is.
        as_of: Exclusive end of the interval.
        interval_start: Start of the interval; the recent days alone when None.

    Raises:
        CheckFailedError: A critical expectation failed.
    """
    recent = as_of - timedelta(days=_RECENT_DAYS)
    first_date = min(interval_start or recent, recent).date()
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        warehouse.ensure_judgement_tables()
        tables = [
            CheckedTable(
                _mart_frame(warehouse, mart, as_of, first_date),
                published_marts.published_marts_suite(mart),
                ROW_NAMES[mart],
            )
            for mart in get_args(MartName)
        ]
        found = check_boundary(settings, warehouse, published_marts.SUITE_NAME, tables, as_of)
        return conclude([found], as_of)


def _landed_hashes(
    warehouse: Warehouse, lake: Lake, settings: Settings, as_of: datetime
) -> frozenset[str]:
    """Return the file names of the objects that no passed check has seen."""
    books = [str(file.path) for file in lake.files(LEDGER.name)]
    suites = [landed_batch.SUITE_NAME, business_facts.SUITE_NAME]
    parameters = {"as_of": as_of, "books": books, "suites": suites}
    landed = warehouse.rows(_LANDED_SQL, parameters) if books else []
    if not landed:
        message = (
            f"{settings.source_uri or settings.lake_dir}: nothing was ever landed, so there is "
            f"nothing to check (see that the bucket and config/sources.yml name the same "
            f"folders, then land again)"
        )
        raise EmptyNightError(message)
    return frozenset(object_hash(row["source_object"]) for row in landed if row["is_new"])


def _landed_spans(lake: Lake, landed: frozenset[str]) -> list[CheckedTable]:
    """Return the night's spans, without texts."""
    frame = _landed_frame(lake, SPANS, landed, landed_batch.SPAN_COLUMNS)
    suite = landed_batch.landed_batch_suite
    return [] if frame is None else [CheckedTable(frame, suite(), landed_batch.ROW_NAME)]


def _landed_facts(
    lake: Lake, specs: Iterable[FactSpec], landed: frozenset[str]
) -> Iterator[CheckedTable]:
    """Yield the night's rows of each fact, without texts."""
    for table in map(fact_table, specs):
        columns = (*business_facts.checked_columns(table), *landed_batch.ROW_NAME)
        frame = _landed_frame(lake, table, landed, tuple(dict.fromkeys(columns)))
        if frame is not None:
            yield CheckedTable(frame, business_facts.fact_suite(table), landed_batch.ROW_NAME)


def _deliveries(lake: Lake, specs: Iterable[FactSpec], as_of: datetime) -> Iterator[CheckedTable]:
    """Yield how each fact was delivered."""
    nights = LakeBooks(lake).nights()
    for spec in specs:
        row = business_facts.describe_delivery(spec, nights, as_of)
        if row is not None:
            suite = business_facts.delivery_suite(spec)
            yield CheckedTable(pd.DataFrame([row]), suite, business_facts.DELIVERY_NAME)


def _landed_frame(
    lake: Lake, table: Table, hashes: frozenset[str], columns: Sequence[str]
) -> pd.DataFrame | None:
    """Return some columns of the night's rows of a table; None when it landed none."""
    paths = [str(file.path) for file in lake.files(table.name) if file.object_hash in hashes]
    if not paths:
        return None
    # The contract's schema: a column that older files lack reads as null, and fails its check.
    files = dataset(paths, schema=arrow_schema(table), format="parquet")
    frame: pd.DataFrame = files.to_table(columns=list(columns)).to_pandas()
    return frame


def _mart_frame(
    warehouse: Warehouse, mart: MartName, as_of: datetime, first_date: date
) -> pd.DataFrame:
    """Return the rows of a mart since a day, with the columns its suite looks at."""
    columns = ", ".join(_selected(name) for name in MART_COLUMNS[mart])
    parameters: dict[str, object] = {"first_date": first_date}
    if "as_of" in MART_COLUMNS[mart]:
        parameters["as_of"] = as_of
    return warehouse.query(
        f"select {columns} from marts.{mart} where call_date >= $first_date", parameters
    )


def _selected(column: str) -> str:
    """Return the SQL of a column: decimals as floats, because the frame's checks compare them."""
    if column == "as_of":
        return "$as_of::timestamptz as as_of"
    return f"{column}::double as {column}" if column.endswith("_usd") else column
