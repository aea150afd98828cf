"""Check: a failed critical expectation stops the night before anyone reads the tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import get_args

import pandas as pd
from pyarrow.dataset import dataset

from include.freezeline.adapters.gx import ExpectationOutcome, run_suite
from include.freezeline.adapters.lake import Lake, object_hash
from include.freezeline.adapters.unchecked import UncheckedObjects
from include.freezeline.adapters.warehouse import Warehouse, open_warehouse
from include.freezeline.config import config_dir
from include.freezeline.contracts.arrow import arrow_schema
from include.freezeline.contracts.columns import Table
from include.freezeline.contracts.judgement import CHECK_RESULTS
from include.freezeline.contracts.lake import LEDGER, SPANS
from include.freezeline.errors import CheckFailedError, EmptyNightError
from include.freezeline.expectations import landed_batch, published_marts
from include.freezeline.expectations.published_marts import MART_COLUMNS, MartName
from include.freezeline.facts.spec import fact_table, load_fact_specs
from include.freezeline.hashing import stable_hash
from include.freezeline.settings import Settings

# Older days were checked on the nights that built them; late data of a week is checked again.
_RECENT_DAYS = 7
_SHOWN_FAILURES = 3


_LANDED_SQL = """
with newest as (
    select * from judgement.check_results where suite_name = $suite
    qualify row_number() over (partition by check_key order by revision desc) = 1
), passed as (
    select as_of from newest group by as_of having bool_and(is_success or severity = 'warning')
)
select source_object,
    night_as_of = $as_of or night_as_of not in (select as_of from passed) as is_new
from read_parquet($books, hive_partitioning = false)
where status = 'landed' and arrived_at < $as_of
"""


@dataclass(frozen=True, slots=True)
class CheckSummary:
    """What one check found.

    Attributes:
        suite_name: landed_batch or published_marts.
        n_expectations: Expectations checked; 0 when nothing new was landed.
        n_rows: Rows looked at.
        warnings: Failed expectations of severity warning, in words.
    """

    suite_name: str
    n_expectations: int
    n_rows: int
    warnings: tuple[str, ...]


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
    lake = Lake(settings.lake_dir)
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        warehouse.ensure_judgement_tables()
        unchecked = UncheckedObjects(settings)
        landed = _landed_hashes(warehouse, lake, settings, as_of) | unchecked.read()
        outcomes: list[ExpectationOutcome] = []
        n_rows = 0
        for table in _landed_tables(settings):
            frame = _landed_frame(lake, table, landed)
            if frame is not None:
                n_rows += len(frame)
                outcomes += run_suite(frame, landed_batch.landed_batch_suite(table))
        summary = _conclude(warehouse, landed_batch.SUITE_NAME, outcomes, n_rows, as_of)
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
        outcomes: list[ExpectationOutcome] = []
        n_rows = 0
        for mart in get_args(MartName):
            frame = _mart_frame(warehouse, mart, as_of, first_date)
            n_rows += len(frame)
            outcomes += run_suite(frame, published_marts.published_marts_suite(mart))
        return _conclude(warehouse, published_marts.SUITE_NAME, outcomes, n_rows, as_of)


def _landed_hashes(
    warehouse: Warehouse, lake: Lake, settings: Settings, as_of: datetime
) -> frozenset[str]:
    """Return the file names of the objects that no passed check has seen."""
    books = [str(file.path) for file in lake.files(LEDGER.name)]
    parameters = {"as_of": as_of, "books": books, "suite": landed_batch.SUITE_NAME}
    landed = warehouse.rows(_LANDED_SQL, parameters) if books else []
    if not landed:
        message = (
            f"{settings.source_uri or settings.lake_dir}: nothing was ever landed, so there is "
            f"nothing to check (see that the bucket and config/sources.yml name the same "
            f"folders, then land again)"
        )
        raise EmptyNightError(message)
    return frozenset(object_hash(row["source_object"]) for row in landed if row["is_new"])


def _landed_tables(settings: Settings) -> list[Table]:
    """Return the tables that have rows from objects."""
    return [SPANS, *map(fact_table, load_fact_specs(config_dir(settings)))]


def _landed_frame(lake: Lake, table: Table, hashes: frozenset[str]) -> pd.DataFrame | None:
    """Return the night's rows of a table, without texts; None when it landed none."""
    paths = [str(file.path) for file in lake.files(table.name) if file.object_hash in hashes]
    if not paths:
        return None
    # The contract's schema: a column that older files lack reads as null, and fails its check.
    files = dataset(paths, schema=arrow_schema(table), format="parquet")
    landed = files.to_table(columns=list(landed_batch.checked_columns(table)))
    frame: pd.DataFrame = landed.to_pandas()
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


def _conclude(
    warehouse: Warehouse,
    suite_name: str,
    outcomes: Sequence[ExpectationOutcome],
    n_rows: int,
    as_of: datetime,
) -> CheckSummary:
    """Write the outcomes, then stop the night if a critical one failed."""
    rows = [_row(suite_name, outcome, as_of) for outcome in outcomes]
    warehouse.append_revisions(CHECK_RESULTS, rows)
    failed = [outcome for outcome in outcomes if not outcome.is_success]
    critical = [outcome for outcome in failed if outcome.severity == "critical"]
    if critical:
        raise CheckFailedError(_explain(suite_name, critical, as_of))
    return CheckSummary(suite_name, len(outcomes), n_rows, tuple(map(_sentence, failed)))


def _row(suite_name: str, outcome: ExpectationOutcome, as_of: datetime) -> dict[str, object]:
    """Return the row of ``judgement.check_results`` for an outcome."""
    return {
        "check_key": stable_hash(suite_name, outcome.expectation, as_of),
        "as_of": as_of,
        "suite_name": suite_name,
        "expectation": outcome.expectation,
        "severity": outcome.severity,
        "is_success": outcome.is_success,
        "unexpected_count": outcome.unexpected_count,
        "checked_count": outcome.checked_count,
        "message": outcome.message,
    }


def _explain(suite_name: str, critical: Sequence[ExpectationOutcome], as_of: datetime) -> str:
    """Say which critical expectations failed, on how many rows, and what to do."""
    shown = "; ".join(map(_sentence, critical[:_SHOWN_FAILURES]))
    more = len(critical) - _SHOWN_FAILURES
    rest = f"; and {more} more, see judgement.check_results" if more > 0 else ""
    return f"{suite_name} of {as_of:%Y-%m-%d}: {shown}{rest}"


def _sentence(outcome: ExpectationOutcome) -> str:
    """Say in words what an expectation found."""
    if outcome.unexpected_count is None:
        count = f"failed on {outcome.checked_count} rows"
    else:
        count = f"{outcome.unexpected_count} of {outcome.checked_count} rows broke it"
    return f"{outcome.expectation}: {count} ({outcome.message})"
