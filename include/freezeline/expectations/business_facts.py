"""What a night's business facts must be like: their rows, and how they were delivered.

A fact that stops coming, or comes without a column, makes features look better than they are: no
escalation is no bad outcome. So silence and rows put aside are expectations too.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from include.freezeline.contracts.columns import Column, Table
from include.freezeline.expectations.landed_batch import READER_REMEDY, ROW_NAME
from include.freezeline.expectations.suite import Severity, SuiteBuilder
from include.freezeline.facts.spec import FactSpec

SUITE_NAME = "business_facts"
DELIVERY_NAME = ("fact", "night_as_of")

Row = Mapping[str, Any]


def fact_suite(table: Table) -> Any:
    """Return the suite of the rows of a business fact."""
    suite = SuiteBuilder(table.name)
    suite.has_rows(READER_REMEDY)
    suite.unique(ROW_NAME, f"one row per delivered record; {READER_REMEDY}")
    for column in table.columns:
        if not column.nullable:
            suite.not_null(column.name, f"always known; {READER_REMEDY}")
    event, recorded = _clocks(table)
    if not event.name.startswith("valid_from"):  # a change may be recorded before it takes effect
        suite.not_before(
            recorded.name,
            event.name,
            "a fact is recorded after it happened; ask the team that delivers it",
        )
    return suite.build()


def checked_columns(table: Table) -> tuple[str, ...]:
    """Return the columns the suite of a fact looks at; texts are never read."""
    return tuple(c.name for c in table.columns if c.name in table.key or not c.nullable)


def delivery_suite(spec: FactSpec) -> Any:
    """Return the suite of the row of :func:`describe_delivery`."""
    suite = SuiteBuilder(f"fact_{spec.name}_delivery")
    severity: Severity = "critical" if spec.delivery.stops_night else "warning"
    policy = f"of `delivery` in config/facts/{spec.name}.yml"
    suite.not_before(
        "max_silent_h",
        "silent_h",
        "a fact that stops coming hides bad outcomes; ask the team that delivers it and land what "
        f"was missed, or raise max_silent_h {policy}",
        severity=severity,
    )
    suite.not_before(
        "max_quarantined_ratio",
        "quarantined_ratio",
        "rows put aside are missing from every outcome; see fct_quarantined_records for the "
        f"reasons and have them delivered again, or raise max_quarantined_ratio {policy}",
        severity=severity,
    )
    return suite.build()


def describe_delivery(
    spec: FactSpec, nights: Sequence[Row], as_of: datetime
) -> dict[str, Any] | None:
    """Say how long a fact has been silent and how much of its night was put aside.

    Args:
        spec: The fact.
        nights: Rows of ``LEDGER_NIGHTS``.
        as_of: The night; later ones are left out.

    Returns:
        A row; None for a fact that was never delivered, because the company does not use it.
    """
    known = [
        row for row in nights if row["source_name"] == spec.name and row["night_as_of"] <= as_of
    ]
    return _delivery(spec, known, as_of) if any(row["record_count"] for row in known) else None


def _delivery(spec: FactSpec, known: Sequence[Row], as_of: datetime) -> dict[str, Any]:
    """Describe how a fact was delivered."""
    fresh = [row["night_as_of"] for row in known if row["landed_count"] + row["duplicate_count"]]
    silent_h = (as_of - max(fresh)).total_seconds() / 3600 if fresh else float("inf")
    tonight = [row for row in known if row["night_as_of"] == as_of]
    ratios = [
        row[part] / row[whole]
        for row in tonight
        for part, whole in (
            ("quarantined_count", "record_count"),
            ("quarantined_object_count", "object_count"),
        )
        if row[whole]
    ]
    return {
        "fact": spec.name,
        "night_as_of": f"{as_of:%Y-%m-%d}",
        "silent_h": silent_h,
        "max_silent_h": spec.delivery.max_silent_h,
        "quarantined_ratio": max(ratios, default=0.0),
        "max_quarantined_ratio": spec.delivery.max_quarantined_ratio,
    }


def _clocks(table: Table) -> tuple[Column, Column]:
    """Return the columns that say when a fact happened and when it was recorded."""
    times = [table.column(n) for n in table.key if table.column(n).type == "timestamp"]
    return times[0], times[-1]
