"""Great Expectations on frames: one checkpoint per boundary, ephemeral context, nobody phoned.

Results hold counts only, so neither they nor the Data Docs made from them can quote a value of the
data. The rows that broke a critical expectation are named by the columns that say where they are.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import pandas as pd

Severity = Literal["critical", "warning"]

_ONLY_COUNTS = {"result_format": "BASIC", "partial_unexpected_count": 0}
_NAMED_ROWS = 5
# Data Docs would have the reader's browser fetch scripts, styles and a logo from other people.
_REMOTE = re.compile(
    r'<(?:link|img)\b[^>]*\b(?:href|src)="https?://[^>]*>|'
    r'<script\b[^>]*\bsrc="https?://[^>]*>\s*</script>'
)
_COLUMN_KEYS = ("column", "column_A", "column_B", "column_list")


@dataclass(frozen=True, slots=True)
class ExpectationOutcome:
    """How one expectation fared; holds no value of the data.

    Attributes:
        expectation: Table, columns and type: ``spans.trace_id: expect_column_values_to_not_be_null``.
        severity: critical stops the night, warning is recorded.
        is_success: Whether it held.
        unexpected_count: Rows that broke it; None when it is not about rows.
        checked_count: Rows looked at.
        message: What it asks for, and what to do when it fails.
        rows: The first rows that broke a critical expectation, by name.
    """

    expectation: str
    severity: Severity
    is_success: bool
    unexpected_count: int | None
    checked_count: int | None
    message: str
    rows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckedTable:
    """A table at a boundary.

    Attributes:
        frame: The rows to check, only the columns that the suite and the rows' names need.
        suite: A Great Expectations suite; each expectation's ``meta`` has ``table`` and
            ``message``.
        row_name: Columns that say which row it is; never ids of people or texts.
    """

    frame: pd.DataFrame
    suite: Any
    row_name: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckpointResult:
    """What the checkpoint of a boundary found.

    Attributes:
        outcomes: One per expectation, sorted.
        data_docs: Pages of Great Expectations' Data Docs, by path.
    """

    outcomes: tuple[ExpectationOutcome, ...]
    data_docs: Mapping[str, bytes]


def run_checkpoint(
    boundary: str, tables: Sequence[CheckedTable], as_of: datetime
) -> CheckpointResult:
    """Check the tables of a boundary.

    An expectation that cannot be computed, because a column is missing for example, has failed.

    Args:
        boundary: Name of the checkpoint.
        tables: What to check.
        as_of: The night, which names the run.
    """
    with TemporaryDirectory() as folder:
        context = _context(boundary, Path(folder))
        found = [
            outcome for table in tables for outcome in _check_table(context, boundary, table, as_of)
        ]
        context.build_data_docs()
        outcomes = tuple(sorted(found, key=lambda outcome: outcome.expectation))
        return CheckpointResult(outcomes, _pages(Path(folder)))


def _context(boundary: str, folder: Path) -> Any:
    """Return a context that lives in memory and writes Data Docs to a folder."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    # Its own site of Data Docs would be built beside ours, in a folder that outlives a worker.
    stores = InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
    config = DataContextConfig(store_backend_defaults=stores, analytics_enabled=False)
    context = gx.get_context(mode="ephemeral", project_config=config)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    context.add_data_docs_site(
        boundary,
        {
            "class_name": "SiteBuilder",
            "show_how_to_buttons": False,
            "store_backend": {
                "class_name": "TupleFilesystemStoreBackend",
                "base_directory": str(folder),
            },
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        },
    )
    context.data_sources.add_pandas(boundary)
    return context


def _check_table(
    context: Any, boundary: str, table: CheckedTable, as_of: datetime
) -> list[ExpectationOutcome]:
    """Run the boundary's checkpoint on one table."""
    import great_expectations as gx
    from great_expectations.core.run_identifier import RunIdentifier

    name = table.suite.name
    asset = context.data_sources.get(boundary).add_dataframe_asset(name)
    definition = asset.add_batch_definition_whole_dataframe("whole")
    suite = context.suites.add(table.suite)
    validation = gx.ValidationDefinition(name=name, data=definition, suite=suite)
    checkpoint = gx.Checkpoint(
        name=f"{boundary}.{name}",
        validation_definitions=[context.validation_definitions.add(validation)],
        result_format=_ONLY_COUNTS,
    )
    given = {"dataframe": table.frame}
    run_id = RunIdentifier(run_name=f"{as_of:%Y-%m-%d}", run_time=as_of)
    run = context.checkpoints.add(checkpoint).run(batch_parameters=given, run_id=run_id)
    (result,) = run.run_results.values()
    batch = definition.get_batch(given)
    return [
        _outcome(item, len(table.frame), _broken_rows(batch, item, table.row_name))
        for item in result.results
    ]


def _broken_rows(batch: Any, item: Any, row_name: Sequence[str]) -> tuple[str, ...]:
    """Name the first rows that broke a critical expectation.

    Great Expectations puts the values that broke it beside the names; they are left where they are.
    """
    config = item.expectation_config
    is_about_rows = bool(item.result.get("unexpected_count"))
    if item.success or not is_about_rows or str(config.severity.value) != "critical":
        return ()
    full = {"result_format": "COMPLETE", "unexpected_index_column_names": list(row_name)}
    again = batch.validate(config.to_domain_obj(), result_format=full)
    found = again.result.get("unexpected_index_list") or ()
    return tuple(" ".join(str(row[column]) for column in row_name) for row in found[:_NAMED_ROWS])


def _pages(folder: Path) -> dict[str, bytes]:
    """Return the pages and styles of Data Docs, without pictures and without anything remote."""
    pages: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".html":
            text = _REMOTE.sub("", path.read_text(encoding="utf-8"))
            pages[path.relative_to(folder).as_posix()] = text.encode()
        elif path.suffix == ".css":
            pages[path.relative_to(folder).as_posix()] = path.read_bytes()
    return pages


def _outcome(item: Any, n_rows: int, rows: tuple[str, ...]) -> ExpectationOutcome:
    """Read one validation result."""
    config = item.expectation_config
    unexpected = item.result.get("unexpected_count")
    return ExpectationOutcome(
        expectation=_name(config.type, config.kwargs, str(config.meta["table"])),
        severity="critical" if str(config.severity.value) == "critical" else "warning",
        is_success=bool(item.success),
        unexpected_count=None if unexpected is None else int(unexpected),
        checked_count=int(item.result.get("element_count", n_rows)),
        message=str(config.meta["message"]),
        rows=rows,
    )


def _name(kind: str, kwargs: Mapping[str, Any], table: str) -> str:
    """Return table, columns and type of an expectation."""
    columns: list[str] = []
    for key in _COLUMN_KEYS:
        value = kwargs.get(key)
        if value is not None:
            columns.extend([value] if isinstance(value, str) else value)
    return f"{table}.{'+'.join(columns)}: {kind}" if columns else f"{table}: {kind}"
