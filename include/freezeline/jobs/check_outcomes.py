"""What a boundary's checkpoint found: written down, published as Data Docs, told in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from include.freezeline.adapters.gx import (
    CheckedTable,
    ExpectationOutcome,
    run_checkpoint,
)
from include.freezeline.adapters.object_store import ObjectStore, open_store
from include.freezeline.adapters.warehouse import Warehouse
from include.freezeline.contracts.judgement import CHECK_RESULTS
from include.freezeline.errors import CheckFailedError
from include.freezeline.hashing import stable_hash
from include.freezeline.settings import Settings

_SHOWN_FAILURES = 3
_CONTENT_TYPES = {"html": "text/html", "css": "text/css"}


@dataclass(frozen=True, slots=True)
class BoundaryOutcome:
    """What the checkpoint of one boundary found.

    Attributes:
        boundary: landed_batch, business_facts or published_marts.
        outcomes: One per expectation.
        n_rows: Rows looked at.
    """

    boundary: str
    outcomes: tuple[ExpectationOutcome, ...]
    n_rows: int

    @property
    def failed(self) -> tuple[ExpectationOutcome, ...]:
        """Expectations that did not hold."""
        return tuple(outcome for outcome in self.outcomes if not outcome.is_success)


@dataclass(frozen=True, slots=True)
class CheckSummary:
    """What one check found.

    Attributes:
        suite_name: The boundaries checked.
        n_expectations: Expectations checked; 0 when nothing new was landed.
        n_rows: Rows looked at.
        warnings: Failed expectations of severity warning, in words.
    """

    suite_name: str
    n_expectations: int
    n_rows: int
    warnings: tuple[str, ...]


def check_boundary(
    settings: Settings,
    warehouse: Warehouse,
    boundary: str,
    tables: Sequence[CheckedTable],
    as_of: datetime,
) -> BoundaryOutcome:
    """Run a boundary's checkpoint, write its results and publish its Data Docs.

    Data Docs lie under ``data_docs/<boundary>/`` of the published folder, for the last night
    checked; every night's results are in ``judgement.check_results``.
    """
    if not tables:
        return BoundaryOutcome(boundary, (), 0)
    found = run_checkpoint(boundary, tables, as_of)
    rows = [_row(boundary, outcome, as_of) for outcome in found.outcomes]
    warehouse.append_revisions(CHECK_RESULTS, rows)
    _publish(open_store(settings.published_uri, settings), boundary, found.data_docs)
    return BoundaryOutcome(boundary, found.outcomes, sum(len(table.frame) for table in tables))


def _publish(store: ObjectStore, boundary: str, pages: Mapping[str, bytes]) -> None:
    """Put a boundary's Data Docs in place of those of the night before."""
    folder = f"data_docs/{boundary}/"
    for path, page in pages.items():
        kind = _CONTENT_TYPES[path.rpartition(".")[2]]
        store.write_bytes(folder + path, page, content_type=kind)
    for item in list(store.list_objects(folder)):
        if item.key.removeprefix(folder) not in pages:
            store.delete(item.key)


def conclude(boundaries: Sequence[BoundaryOutcome], as_of: datetime) -> CheckSummary:
    """Stop the night if a critical expectation failed, else say what was found.

    Raises:
        CheckFailedError: Naming the rows and what to do.
    """
    critical = [
        (boundary.boundary, [one for one in boundary.failed if one.severity == "critical"])
        for boundary in boundaries
    ]
    told = [_explain(name, failed, as_of) for name, failed in critical if failed]
    if told:
        raise CheckFailedError("; ".join(told))
    warnings = [_sentence(one) for boundary in boundaries for one in boundary.failed]
    return CheckSummary(
        ", ".join(boundary.boundary for boundary in boundaries),
        sum(len(boundary.outcomes) for boundary in boundaries),
        sum(boundary.n_rows for boundary in boundaries),
        tuple(warnings),
    )


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
    """Say which critical expectations failed, on which rows, and what to do."""
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
    rows = f": {', '.join(outcome.rows)}" if outcome.rows else ""
    return f"{outcome.expectation}: {count}{rows} ({outcome.message})"
