"""Great Expectations on frames: ephemeral context, nothing on disk, nobody phoned."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

Severity = Literal["critical", "warning"]

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
    """

    expectation: str
    severity: Severity
    is_success: bool
    unexpected_count: int | None
    checked_count: int | None
    message: str


def run_suite(frame: pd.DataFrame, suite: Any) -> list[ExpectationOutcome]:
    """Run a suite on a frame.

    An expectation that cannot be computed, because a column is missing for example, has failed.

    Args:
        frame: The rows to check, only the columns the suite names.
        suite: A Great Expectations suite; each expectation's ``meta`` has ``table`` and
            ``message``.

    Returns:
        One outcome per expectation, sorted.
    """
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = context.data_sources.add_pandas("frames")
    definition = source.add_dataframe_asset("frame").add_batch_definition_whole_dataframe("whole")
    batch = definition.get_batch({"dataframe": frame})
    # BASIC with no samples: counts only, so that no raw value can reach a message.
    only_counts = {"result_format": "BASIC", "partial_unexpected_count": 0}
    result = batch.validate(suite, result_format=only_counts)
    outcomes = [_outcome(item, len(frame)) for item in result.results]
    return sorted(outcomes, key=lambda outcome: outcome.expectation)


def _outcome(item: Any, n_rows: int) -> ExpectationOutcome:
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
    )


def _name(kind: str, kwargs: Mapping[str, Any], table: str) -> str:
    """Return table, columns and type of an expectation."""
    columns: list[str] = []
    for key in _COLUMN_KEYS:
        value = kwargs.get(key)
        if value is not None:
            columns.extend([value] if isinstance(value, str) else value)
    return f"{table}.{'+'.join(columns)}: {kind}" if columns else f"{table}: {kind}"
